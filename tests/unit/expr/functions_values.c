/* What each function means: examples with the value and type they must give. */
#include "eval_support.h"

#define EXAMPLES(name, ...)                                                                                  \
  static void name(void **state) {                                                                           \
    (void)state;                                                                                             \
    fixture t;                                                                                               \
    fixture_begin(&t);                                                                                       \
    static const example list[] = {__VA_ARGS__};                                                             \
    check_examples(&t, list, sizeof list / sizeof list[0]);                                                  \
    fixture_end(&t);                                                                                         \
  }

EXAMPLES(logic, {"true AND null", "null", "bool"}, {"false AND null", "false", NULL},
         {"null AND false", "false", NULL}, {"true AND true", "true", NULL}, {"true OR null", "true", "bool"},
         {"false OR null", "null", NULL}, {"null OR null", "null", NULL}, {"NOT null", "null", "bool"},
         {"NOT true", "false", NULL}, {"CAST(null AS bool) IS TRUE", "false", "bool"},
         {"true IS TRUE", "true", NULL}, {"null IS NOT TRUE", "true", NULL}, {"false IS FALSE", "true", NULL},
         {"null IS FALSE", "false", NULL}, {"null IS NOT FALSE", "true", NULL},
         {"false AND CAST('x' AS int64) > 0", "false", NULL},
         {"true OR CAST('x' AS int64) > 0", "true", NULL},
         {"true AND CAST('x' AS int64) > 0", "!cannot cast `x`", NULL},
         {"1 AND true", "!must be a bool", NULL})

EXAMPLES(comparisons, {"1 = 1", "true", "bool"}, {"1 = null", "null", "bool"}, {"1 < 2.5", "true", NULL},
         {"CAST('nan' AS float64) = CAST('nan' AS float64)", "true", NULL},
         {"CAST('nan' AS float64) > CAST('inf' AS float64)", "true", NULL},
         {"CAST('nan' AS float64) < 1.0", "false", NULL}, {"1.0 <= CAST('nan' AS float64)", "true", NULL},
         {"-0.0 = 0.0", "true", NULL}, {"'a' < 'b'", "true", NULL}, {"'Z' < 'a'", "true", NULL},
         {"'abc' < 'ab'", "false", NULL}, {"'a long string, longer' >= 'a long string'", "true", NULL},
         {"date '1996-01-01' < '1996-01-02'", "true", NULL}, {"true > false", "true", NULL},
         {"1 <> 2", "true", NULL}, {"null IS DISTINCT FROM null", "false", "bool"},
         {"null IS DISTINCT FROM 1", "true", NULL}, {"1 IS NOT DISTINCT FROM 1", "true", NULL},
         {"1 IS NOT DISTINCT FROM null", "false", NULL}, {"2 BETWEEN 1 AND 3", "true", NULL},
         {"0 BETWEEN 1 AND null", "false", NULL}, {"2 BETWEEN 1 AND null", "null", NULL},
         {"2 NOT BETWEEN 1 AND 3", "false", NULL}, {"0.05 = CAST('0.05' AS decimal(15,2))", "true", NULL},
         {"CAST('0.06' AS decimal(15,2)) > 0.055", "true", NULL},
         {"CAST('1.1' AS decimal(3,1)) < CAST('1.11' AS decimal(30,20))", "true", NULL},
         {"1 = 'x'", "!", NULL})

EXAMPLES(lists, {"3 IN (1, 2, 3)", "true", "bool"}, {"4 IN (1, 2, 3)", "false", NULL},
         {"4 IN (1, null)", "null", NULL}, {"1 IN (1, null)", "true", NULL},
         {"4 NOT IN (1, null)", "null", NULL}, {"null IN (1, 2)", "null", NULL},
         {"'b' IN ('a', 'b')", "true", NULL},
         {"'a much longer string' IN ('x', 'a much longer string')", "true", NULL},
         {"CAST('nan' AS float64) IN (1.0, CAST('nan' AS float64))", "true", NULL},
         {"-0.0 IN (0.0, 1.0)", "true", NULL}, {"5 IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "true", NULL},
         {"50 IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "false", NULL},
         {"CAST(7 AS decimal(30,2)) IN (7, 8)", "true", NULL},
         {"date '1996-01-01' IN ('1996-01-01', '1996-01-02')", "true", NULL})

EXAMPLES(integers, {"1 + 2", "3", "int64"}, {"9223372036854775807 + 1", "-9223372036854775808", NULL},
         {"CAST(127 AS int8) + CAST(1 AS int8)", "-128", "int8"},
         {"CAST(1 AS int8) + CAST(1 AS int32)", "2", "int32"},
         {"CAST(200 AS uint8) * CAST(2 AS uint8)", "144", "uint8"},
         {"CAST(1 AS uint64) + (-1)", "0.0", "float64"},
         {"CAST(65535 AS uint16) * CAST(65535 AS uint16)", "1", "uint16"}, {"7 / 2", "3.5", "float64"},
         {"1 / 0", "inf", NULL}, {"-1 / 0", "-inf", NULL}, {"0 / 0", "NaN", NULL}, {"7 // 2", "3", "int64"},
         {"-7 // 2", "-4", NULL}, {"7 // -2", "-4", NULL}, {"-7 // -2", "3", NULL},
         {"7 // 0", "null", "int64"}, {"7 % 3", "1", "int64"}, {"-7 % 3", "2", NULL}, {"7 % -3", "-2", NULL},
         {"-7 % -3", "-1", NULL}, {"7 % 0", "null", NULL},
         {"(-9223372036854775807 - 1) // -1", "-9223372036854775808", NULL},
         {"(-9223372036854775807 - 1) % -1", "0", NULL}, {"-CAST(5 AS uint8)", "-5", "int16"},
         {"-(1)", "-1", "int64"}, {"1 + null", "null", "int64"}, {"null + null", "null", NULL},
         {"'a' + 1", "!`+` does not take", NULL}, {"true + 1", "!`+` does not take", NULL})

EXAMPLES(floats, {"1.5 + 2", "3.5", "float64"}, {"7.5 // 2", "3.0", "float64"}, {"-7.5 // 2", "-4.0", NULL},
         {"-7.5 % 2", "0.5", "float64"}, {"7.5 % -2", "-0.5", NULL}, {"7.5 // 0", "inf", NULL},
         {"7.5 % 0", "NaN", NULL}, {"CAST(1.5 AS float32) * CAST(2 AS float32)", "3.0", "float32"},
         {"-(0.5)", "-0.5", NULL}, {"1e308 * 10", "inf", NULL})

EXAMPLES(decimals, {"CAST(1 AS decimal(15,2)) + CAST(1 AS decimal(15,2))", "2.00", "decimal(16,2)"},
         {"1 - CAST('0.04' AS decimal(15,2))", "0.96", "decimal(16,2)"},
         {"CAST('10.50' AS decimal(15,2)) * CAST('0.5' AS decimal(15,2))", "5.2500", "decimal(30,4)"},
         {"CAST('10.50' AS decimal(15,2)) * 2", "21.00", "decimal(16,2)"},
         {"CAST('10.50' AS decimal(15,2)) * 0.5", "5.250", "decimal(16,3)"},
         {"CAST('10.50' AS decimal(15,2)) / 2", "5.25", "float64"},
         {"CAST('1.5' AS decimal(3,1)) + CAST('1.25' AS decimal(5,2))", "2.75", "decimal(6,2)"},
         {"CAST('-7.5' AS decimal(3,1)) // 2", "-4", "decimal(3,0)"},
         {"CAST('-7.5' AS decimal(3,1)) % 2", "0.5", "decimal(2,1)"},
         {"CAST('7.5' AS decimal(3,1)) // CAST(0 AS decimal(3,1))", "null", NULL},
         {"CAST(1 AS decimal(38,0)) + CAST(1 AS decimal(38,0))", "2", "decimal(38,0)"},
         {"CAST('99999999999999999999999999999999999999' AS decimal(38,0)) + CAST(1 AS decimal(38,0))",
          "!has more than 38 digits", NULL},
         {"CAST('99999999999999999999' AS decimal(38,0)) * CAST('99999999999999999999' AS decimal(38,0))",
          "!has more than 38 digits", NULL},
         {"CAST('99999999999999999999' AS decimal(20,0)) * CAST('999999999999999999' AS decimal(18,0))",
          "99999999999999999899000000000000000001", "decimal(38,0)"},
         {"CAST(1 AS decimal(38,30)) * CAST(1 AS decimal(38,30))", "!digits behind the point", NULL},
         {"-CAST('1.5' AS decimal(30,1))", "-1.5", "decimal(30,1)"},
         {"CAST('1.5' AS decimal(3,1)) + 1.5e0", "3.0", NULL})

EXAMPLES(temporals, {"date '1996-01-31' + interval '1' month", "1996-02-29", "date"},
         {"date '1996-03-31' - interval '1' month", "1996-02-29", NULL},
         {"date '1998-12-01' - interval '90' day", "1998-09-02", "date"},
         {"interval '1' year + date '1996-02-29'", "1997-02-28", NULL},
         {"date '1996-01-01' + interval '1' hour", "1996-01-01T01:00:00", "datetime(us)"},
         {"date '1996-01-10' - date '1996-01-01'", "9", "int64"},
         {"date '1996-01-10' + 5", "1996-01-15", "date"},
         {"date '9999-12-31' + interval '1' day", "!leaves the years", NULL},
         {"date '9999-12-31' + 1", "!leaves the years", NULL},
         {"date '0001-01-01' - interval '1' month", "!leaves the years", NULL},
         {"datetime '1996-01-31T12:30:00' + interval '1' month", "1996-02-29T12:30:00", "datetime(us)"},
         {"datetime '1996-01-31T12:30:00' - datetime '1996-01-31T12:00:00'", "30m", NULL},
         {"datetime '1996-01-01T00:00:00' - interval '1' second", "1995-12-31T23:59:59", NULL},
         {"date '1996-01-01' + null", "null", "date"}, {"date '1996-01-01' * 2", "!does not take", NULL},
         {"date '1996-01-01' + date '1996-01-01'", "!does not take", NULL},
         {"2 - date '1996-01-01'", "!does not take", NULL})

EXAMPLES(conditions, {"coalesce(null, null, 3)", "3", "int64"},
         {"coalesce(1, CAST('x' AS int64))", "1", NULL}, {"coalesce(null, null)", "null", NULL},
         {"if_null(null, 'a')", "a", "string"}, {"nullif(1, 1)", "null", "int64"},
         {"nullif(1, 2)", "1", NULL}, {"nullif(null, 2)", "null", NULL}, {"nullif('a', null)", "a", NULL},
         {"CASE WHEN true THEN 1 END", "1", "int64"}, {"CASE WHEN null THEN 1 END", "null", "int64"},
         {"CASE WHEN false THEN 1 ELSE 2.5 END", "2.5", "float64"},
         {"CASE 3 WHEN 1 THEN 'a' WHEN 3 THEN 'b' ELSE 'c' END", "b", "string"},
         {"CASE WHEN false THEN CAST('x' AS int64) ELSE 7 END", "7", NULL}, {"null IS NULL", "true", "bool"},
         {"1 IS NOT NULL", "true", NULL}, {"greatest(1, null, 3)", "3", "int64"},
         {"least(2, 1.5, null)", "1.5", "float64"}, {"greatest(null, null)", "null", NULL},
         {"greatest('b', 'abc')", "b", NULL}, {"greatest(1.0, CAST('nan' AS float64))", "NaN", NULL},
         {"all_horizontal(true, null)", "null", "bool"}, {"all_horizontal(false, null)", "false", NULL},
         {"any_horizontal(true, null)", "true", NULL}, {"min_horizontal(3, 2)", "2", "int64"},
         {"max_horizontal(3, 2)", "3", NULL}, {"sum_horizontal(1, null, 3)", "4", "int64"},
         {"sum_horizontal(null, null)", "null", NULL}, {"sum_horizontal(1.5, 2)", "3.5", "float64"},
         {"sum_horizontal(CAST(1 AS decimal(5,2)), CAST(2 AS decimal(5,2)))", "3.00", "decimal(6,2)"})

EXAMPLES(strings, {"length('Grüße')", "5", "int64"}, {"octet_length('Grüße')", "7", "int64"},
         {"length('')", "0", NULL}, {"length(null)", "null", "int64"},
         {"upper('grüße, ÿ жλ')", "GRÜßE, Ÿ ЖΛ", "string"}, {"lower('ÀÉŸЖΩŁ')", "àéÿжωł", NULL},
         {"upper('abc')", "ABC", NULL},
         {"lower('A LONG STRING IN UPPER CASE')", "a long string in upper case", NULL},
         {"substring('hello', 2, 3)", "ell", "string"}, {"substring('hello', 2)", "ello", NULL},
         {"substring('hello', -1, 4)", "he", NULL}, {"substring('hello', 2, -1)", "", NULL},
         {"substring('hello', 10)", "", NULL},
         {"substring('Grüße aus Köln am Rhein', 3, 15)", "üße aus Köln am", NULL},
         {"substring('hello' FROM 2 FOR 2)", "el", NULL},
         {"substring('x', 9223372036854775807, 9223372036854775807)", "", NULL},
         {"left('Grüße', 3)", "Grü", NULL}, {"left('abc', -1)", "ab", NULL}, {"left('abc', -5)", "", NULL},
         {"right('Grüße', 3)", "üße", NULL}, {"right('abc', -1)", "bc", NULL}, {"left('abc', 0)", "", NULL},
         {"concat('a', 'b', 'c')", "abc", "string"}, {"'a' || null", "null", "string"},
         {"'a' || 1 || true", "a1true", NULL},
         {"'twelve bytes' || ' and more'", "twelve bytes and more", NULL},
         {"starts_with('hello', 'he')", "true", "bool"}, {"starts_with('he', 'hello')", "false", NULL},
         {"ends_with('hello', 'lo')", "true", NULL}, {"ends_with('hello', '')", "true", NULL},
         {"contains('hello', 'll')", "true", NULL}, {"contains('hello', 'x')", "false", NULL},
         {"contains('a%b', '%')", "true", NULL}, {"replace('banana', 'an', '<>')", "b<><>a", "string"},
         {"replace('aaa', '', 'x')", "aaa", NULL}, {"replace('aaa', 'a', '')", "", NULL},
         {"trim('  a b ')", "a b", NULL}, {"ltrim('  a ')", "a ", NULL}, {"rtrim(' a  ')", " a", NULL},
         {"trim('xyaxy', 'xy')", "a", NULL}, {"trim('ééaé', 'é')", "a", NULL}, {"trim('   ')", "", NULL},
         {"split_part('a-b-c', '-', 2)", "b", NULL}, {"split_part('a-b-c', '-', -1)", "c", NULL},
         {"split_part('a-b-c', '-', 4)", "", NULL}, {"split_part('a-b-c', '-', 0)", "", NULL},
         {"split_part('abc', '', 1)", "abc", NULL}, {"split_part('a, b, c', ', ', 3)", "c", NULL},
         {"reverse('aéb')", "béa", NULL}, {"lpad('7', 3, '0')", "007", NULL}, {"lpad('abc', 2)", "ab", NULL},
         {"rpad('é', 3, 'xy')", "éxy", NULL}, {"rpad('a', 5, 'é')", "aéééé", NULL},
         {"lpad('a', -1)", "", NULL}, {"lpad('a', 5, '')", "a", NULL},
         {"lpad('a', 1000000000000)", "!longer than", NULL},
         {"length(5)", "!must be a string or binary, not int64", NULL},
         {"upper(1)", "!must be a string", NULL})

EXAMPLES(likes, {"'abc' LIKE 'abc'", "true", "bool"}, {"'abc' LIKE 'ab'", "false", NULL},
         {"'abc' LIKE 'a%'", "true", NULL}, {"'abc' LIKE '%c'", "true", NULL},
         {"'abc' LIKE '%b%'", "true", NULL}, {"'abc' LIKE 'a%c'", "true", NULL},
         {"'ac' LIKE 'a%c'", "true", NULL}, {"'a' LIKE 'a%a'", "false", NULL},
         {"'abc' LIKE 'a_c'", "true", NULL}, {"'aéc' LIKE 'a_c'", "true", NULL},
         {"'ac' LIKE 'a_c'", "false", NULL}, {"'' LIKE ''", "true", NULL}, {"'' LIKE '%'", "true", NULL},
         {"'a' LIKE ''", "false", NULL}, {"'ABC' LIKE 'abc'", "false", NULL},
         {"'special packages, requests' LIKE '%special%requests%'", "true", NULL},
         {"'requests special' LIKE '%special%requests%'", "false", NULL},
         {"'50%' LIKE '50\\%'", "false", NULL}, {"'50%' LIKE '50\\%' ESCAPE '\\'", "true", NULL},
         {"'50x' LIKE '50\\%' ESCAPE '\\'", "false", NULL}, {"'a_b' LIKE 'a#_b' ESCAPE '#'", "true", NULL},
         {"'abcabd' LIKE '%ab_'", "true", NULL}, {"'xay' LIKE '_%_%_'", "true", NULL},
         {"'xa' LIKE '_%_%_'", "false", NULL}, {"'日本語' LIKE '__語'", "true", NULL},
         {"'abc' NOT LIKE 'a%'", "false", NULL}, {"null LIKE 'a'", "null", "bool"},
         {"'a' LIKE null", "null", NULL}, {"'a' LIKE 'a#' ESCAPE '#'", "!ends with its escape", NULL},
         {"'a' LIKE 'a' ESCAPE 'xx'", "!one ASCII character", NULL})

EXAMPLES(dates, {"year(date '1996-02-29')", "1996", "int64"}, {"month(date '1996-02-29')", "2", "int64"},
         {"day(date '1996-02-29')", "29", NULL}, {"quarter(date '1996-12-31')", "4", NULL},
         {"week(date '2021-01-03')", "53", NULL}, {"week(date '2021-01-04')", "1", NULL},
         {"week(date '2020-12-31')", "53", NULL}, {"week(date '2018-12-31')", "1", NULL},
         {"weekday(date '2021-01-03')", "7", NULL}, {"weekday(date '2021-01-04')", "1", NULL},
         {"weekday(date '1969-12-31')", "3", NULL}, {"day_of_year(date '1996-12-31')", "366", NULL},
         {"year(date '0001-01-01')", "1", NULL}, {"year(date '9999-12-31')", "9999", NULL},
         {"year(datetime '1969-12-31T23:59:59')", "1969", NULL},
         {"hour(datetime '1969-12-31T23:59:58.123456')", "23", "int64"},
         {"minute(datetime '1969-12-31T23:59:58.123456')", "59", NULL},
         {"second(datetime '1969-12-31T23:59:58.123456')", "58", NULL},
         {"millisecond(datetime '1969-12-31T23:59:58.123456')", "123", NULL},
         {"microsecond(datetime '1969-12-31T23:59:58.123456')", "123456", NULL},
         {"hour(date '1996-01-01')", "0", NULL}, {"EXTRACT(year FROM date '1996-01-01')", "1996", NULL},
         {"date_trunc('year', date '1996-05-17')", "1996-01-01", "date"},
         {"date_trunc('quarter', date '1996-05-17')", "1996-04-01", NULL},
         {"date_trunc('month', date '1996-05-17')", "1996-05-01", NULL},
         {"date_trunc('week', date '1996-05-17')", "1996-05-13", NULL},
         {"date_trunc('hour', date '1996-05-17')", "1996-05-17", NULL},
         {"date_trunc('hour', datetime '1969-05-17T12:34:56')", "1969-05-17T12:00:00", "datetime(us)"},
         {"date_trunc('month', datetime '1969-05-17T12:34:56')", "1969-05-01T00:00:00", NULL},
         {"date_trunc('fortnight', date '1996-05-17')", "!name of a unit", NULL}, {"year('x')", "!", NULL},
         {"year(1)", "!must be a date or a datetime", NULL})

EXAMPLES(numbers, {"round(2.5)", "3.0", "float64"}, {"round(-2.5)", "-3.0", NULL},
         {"round(1.2345, 2)", "1.23", NULL}, {"round(1234.5, -2)", "1200.0", NULL},
         {"round(1250, -2)", "1300", "int64"}, {"round(-1250, -2)", "-1300", NULL}, {"round(7)", "7", NULL},
         {"round(CAST('2.345' AS decimal(10,3)), 2)", "2.35", "decimal(10,2)"},
         {"round(CAST('-2.5' AS decimal(10,1)))", "-3", "decimal(10,0)"}, {"floor(-1.5)", "-2.0", "float64"},
         {"ceil(-1.5)", "-1.0", NULL}, {"floor(5)", "5", "int64"},
         {"floor(CAST('-1.5' AS decimal(5,1)))", "-2", "decimal(5,0)"},
         {"ceil(CAST('1.1' AS decimal(5,1)))", "2", NULL}, {"round(1e300, 5)", "1e300", NULL},
         {"abs(-3)", "3", "int64"}, {"abs(-9223372036854775807 - 1)", "-9223372036854775808", NULL},
         {"abs(-1.5)", "1.5", NULL}, {"abs(CAST('-1.5' AS decimal(30,1)))", "1.5", "decimal(30,1)"},
         {"sign(-3)", "-1", "int64"}, {"sign(0.0)", "0.0", NULL},
         {"sign(CAST('1.5' AS decimal(30,1)))", "1", "int64"}, {"sqrt(4)", "2.0", "float64"},
         {"sqrt(-1)", "NaN", NULL}, {"exp(0)", "1.0", NULL}, {"ln(1)", "0.0", NULL}, {"ln(0)", "-inf", NULL},
         {"log10(1000)", "3.0", NULL}, {"log2(8)", "3.0", NULL}, {"power(2, 10)", "1024.0", "float64"},
         {"is_nan(0.0 / 0)", "true", "bool"}, {"is_nan(1)", "false", NULL},
         {"is_finite(1 / 0)", "false", NULL}, {"is_finite(1)", "true", NULL},
         {"is_infinite(1 / 0)", "true", NULL}, {"is_infinite(0.0 / 0)", "false", NULL},
         {"sqrt('x')", "!must be a number", NULL}, {"round(1.5, 1 + 1)", "!", NULL})

EXAMPLES(casts, {"CAST('12' AS int64)", "12", "int64"},
         {"CAST('x' AS int64)", "!cannot cast `x` of type string to int64", NULL},
         {"TRY_CAST('x' AS int64)", "null", "int64"}, {"CAST(300 AS uint8)", "!cannot cast `300`", NULL},
         {"TRY_CAST(300 AS uint8)", "null", "uint8"}, {"CAST(2.7 AS int64)", "2", NULL},
         {"CAST(-2.7 AS int64)", "-2", NULL}, {"CAST(1 AS string)", "1", "string"},
         {"CAST(1.5 AS string)", "1.5", NULL}, {"CAST(true AS string)", "true", NULL},
         {"CAST('1996-01-31' AS date)", "1996-01-31", "date"},
         {"CAST(date '1996-01-31' AS datetime)", "1996-01-31T00:00:00", NULL},
         {"CAST(datetime '1969-12-31T12:00:00' AS date)", "1969-12-31", NULL},
         {"CAST(1.005 AS decimal(10,2))", "1.01", "decimal(10,2)"},
         {"CAST(CAST('1.5' AS decimal(3,1)) AS int64)", "2", NULL}, {"CAST(1 AS bool)", "true", NULL},
         {"CAST(CAST('123.45' AS decimal(20,2)) AS float64)", "123.45", NULL},
         {"CAST(date '1970-01-11' AS int32)", "10", "int32"}, {"CAST(null AS date)", "null", "date"})

/* Every 17th day of the years 1 to 9999, against the slow calendar; weeks by their definition. */
static void calendar(void **state) {
  (void)state;
  static const char *const texts[] = {"year(dt)",    "month(dt)", "day(dt)",    "day_of_year(dt)",
                                      "weekday(dt)", "week(dt)",  "quarter(dt)"};
  enum { CHUNK = 4096 };
  fixture t;
  fixture_begin(&t);
  sp_program *p = NULL;
  const sp_expr *e[7];
  for (int i = 0; i < 7; i++) {
    e[i] = must_bind(&t, texts[i], 0);
  }
  assert_int_equal(sp_program_new(&t.mem, t.schema, e, 7, &p, NULL), SP_OK);
  sp_program_state *s = sp_program_state_new(p, &t.mem);
  random_batch(&t, CHUNK, 4);
  for (int32_t from = -719162; from < 2932896; from += CHUNK * 17) {
    sp_column *days = sp_column_flat((sp_maker){.mem = &t.mem}, sp_type_of(SP_KIND_DATE), CHUNK, false);
    for (int32_t i = 0; i < CHUNK; i++) {
      ((int32_t *)(void *)days->values->data)[i] = from + i * 17;
    }
    const int32_t at = sp_schema_find(t.schema, SP_SV("dt"));
    sp_column_unref(t.batch->cols[at]);
    t.batch->cols[at] = days;
    sp_column *out[7];
    const sp_fetch in = {.get = sp_fetch_batch, .ctx = t.batch};
    assert_int_equal(sp_program_eval(p, s, (sp_maker){.mem = &t.mem}, &in, CHUNK, NULL, CHUNK, out, NULL),
                     SP_OK);
    for (int32_t i = 0; i < CHUNK; i++) {
      const int32_t d = from + i * 17;
      const sp_civil c = sp_civil_from_days(d);
      int64_t got[7];
      for (int k = 0; k < 7; k++) {
        got[k] = ((const int64_t *)(const void *)out[k]->values->data)[i];
      }
      const int32_t weekday = ((d + 3) % 7 + 7) % 7 + 1, thursday = d - weekday + 4;
      assert_true(got[0] == c.year && got[1] == c.month && got[2] == c.day);
      assert_int_equal(got[3], d - sp_days_from_civil(c.year, 1, 1) + 1);
      assert_int_equal(got[4], weekday);
      assert_int_equal(got[5],
                       (thursday - sp_days_from_civil(sp_civil_from_days(thursday).year, 1, 1)) / 7 + 1);
      assert_int_equal(got[6], (c.month - 1) / 3 + 1);
    }
    for (int k = 0; k < 7; k++) {
      sp_column_unref(out[k]);
    }
  }
  sp_program_state_unref(s);
  sp_program_unref(p);
  fixture_end(&t);
}

static void names_and_aliases(void **state) {
  (void)state;
  assert_string_equal(sp_function_find(SP_SV("AVG"))->name, "mean");
  assert_string_equal(sp_function_find(SP_SV("len"))->name, "length");
  assert_null(sp_function_find(SP_SV("no_such_function")));
  assert_null(sp_function_find(SP_SV("")));
  for (const sp_function *const *f = sp_function_table; *f != NULL; f++) {
    assert_ptr_equal(sp_function_find(sp_sv_from((*f)->name)), *f);
    assert_non_null((*f)->summary);
    assert_non_null((*f)->bind);
    assert_true((*f)->min_args <= (*f)->max_args);
    const bool aggregate = ((*f)->flags & SP_FN_AGGREGATE) != 0;
    assert_true(aggregate == ((*f)->aggregate != NULL));
    assert_true(aggregate == ((*f)->prepare == NULL));
    assert_true((((*f)->flags & SP_FN_LAZY) != 0) == ((*f)->reach != SP_REACH_ALL));
  }
  sp_error err = SP_ERROR_INIT;
  assert_int_equal(sp_function_unknown(SP_SV("uper"), NULL, &err), SP_NOT_FOUND);
  assert_non_null(strstr(err.message, "unknown function `uper`"));
  assert_non_null(strstr(err.hint, "`upper`"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(logic),     cmocka_unit_test(comparisons),
                                     cmocka_unit_test(lists),     cmocka_unit_test(integers),
                                     cmocka_unit_test(floats),    cmocka_unit_test(decimals),
                                     cmocka_unit_test(temporals), cmocka_unit_test(conditions),
                                     cmocka_unit_test(strings),   cmocka_unit_test(likes),
                                     cmocka_unit_test(dates),     cmocka_unit_test(numbers),
                                     cmocka_unit_test(casts),     cmocka_unit_test(names_and_aliases),
                                     cmocka_unit_test(calendar)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
