/* What expressions and nodes mean: each line of the list in the design once, as the smallest plan that shows
 * it, with its rows. Every case runs as written and optimized, in batches of one row and of many, on one
 * worker and on two: the answer is the same.
 *
 *   {"`/` is float64", "7 / 2", "float64 3.5"}                              an expression over the row below
 *   {"sum of nothing", "<a plan with ` for the double quotes>", "n:int64;0"} rows: fields split by `,`, rows
 * by `;` */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "session/session.h"

typedef struct meaning {
  const char *says, *plan, *expected;
} meaning;

typedef struct way {
  const char *optimizer;
  uint32_t threads, batch_rows;
} way;
static const way ways[] = {{"none", 1, 0}, {"default", 1, 0}, {"none", 2, 1}, {"default", 2, 7}};

/* ---- running ---- */
static void add_rows(const sp_run *run, sp_str *out) {
  for (uint32_t r = 0; r < run->n_results; r++) {
    const sp_result *res = &run->results[r];
    for (uint32_t c = 0; c < res->schema->n; c++) {
      const sp_field *f = &res->schema->fields[c];
      sp_str_addf(out, "%s%.*s:%s", c > 0 ? "," : "", (int)f->name.n, f->name.p, f->type->name);
    }
    for (uint32_t b = 0; b < res->n_batches; b++) {
      for (uint32_t i = 0; i < res->batches[b]->n_rows; i++) {
        sp_str_addc(out, ';');
        for (uint32_t c = 0; c < res->schema->n; c++) {
          const sp_value v = sp_column_value(res->batches[b]->cols[c], i);
          sp_str_add(out, c > 0 ? "," : "");
          if (v.is_null) {
            sp_str_add(out, "null");
          } else {
            sp_value_text(&v, out);
          }
        }
      }
    }
  }
}

/* Rows as above, or "exit 2: message". */
static void run_plan(const char *text, const char *dir, const way *w, sp_str *out) {
  const sp_session_options options = {.optimizer = w->optimizer, .validate = true};
  sp_error err = SP_ERROR_INIT;
  sp_session *s = NULL;
  assert_int_equal(sp_session_new(&options, &s, &err), SP_OK);
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = w->threads;
  o.batch_rows = w->batch_rows;
  sp_status st = sp_session_load_text(s, "test.json", dir, text, strlen(text), &err);
  if (st == SP_OK) {
    st = sp_session_run(s, &o, &err);
  }
  if (st == SP_OK) {
    add_rows(sp_session_last_run(s), out);
  } else {
    sp_str_addf(out, "exit %d: %s", sp_status_exit_code(st), err.message);
  }
  sp_session_free(s);
}

/* An expected text that ends in … is the beginning of what must come. */
static bool matches(const char *got, const char *expected) {
  const size_t n = strlen(expected);
  const size_t dots = strlen("…");
  if (n >= dots && memcmp(expected + n - dots, "…", dots) == 0) {
    return strncmp(got, expected, n - dots) == 0;
  }
  return strcmp(got, expected) == 0;
}

static int failures;

static void check(const char *says, const char *plan, const char *shown, const char *dir,
                  const char *expected) {
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    sp_str out;
    sp_str_init(&out, NULL, 1 << 20);
    run_plan(plan, dir, &ways[i], &out);
    if (!matches(out.p, expected)) {
      failures++;
      print_message("%s: %s\n  optimizer %s, %u workers, batches of %u: got\n    %s\n  expected\n    %s\n",
                    says, shown, ways[i].optimizer, ways[i].threads, ways[i].batch_rows, out.p, expected);
    }
    sp_str_release(&out);
  }
}

/* ---- expressions ---- */
/* tiny is int8 127, i 7, u uint64 3, big 2^53 + 1, ubig uint64 2^53, f 1.5, f4 float32 2.5, d
 * decimal(10,2) 1.25, s 'abc', e '', dt 2024-01-31, ts 2024-01-31 10:00, b true, z a null int64, zb a null
 * bool, zs a null string */
static const char row_plan[] =
    "{`sigmapi`: 1, `nodes`: [{`id`: `v`, `op`: `values`, `schema`: {`tiny`: `int8`, `i`: `int64`, `u`: "
    "`uint64`, `big`: `int64`, `ubig`: `uint64`, `f`: "
    "`float64`, `f4`: `float32`, `d`: `decimal(10,2)`, `s`: `string`, `e`: `string`, `dt`: `date`, `ts`: "
    "`datetime(us)`, `b`: `bool`, `z`: `int64`, `zb`: "
    "`bool`, `zs`: `string`}, `rows`: [[127, 7, 3, 9007199254740993, 9007199254740992, 1.5, 2.5, `1.25`, "
    "`abc`, ``, `2024-01-31`, `2024-01-31T10:00:00`, true, "
    "null, null, null]]}, {`id`: `o`, `op`: `select`, `input`: `v`, `exprs`: [`%s`]}], `outputs`: [`o`]}";

/* The answer is "TYPE VALUE", or the error. */
static const meaning expressions[] = {
    {"names are case-sensitive", "I", "exit 2: unknown column `I`"},
    {"\"x\" quotes a name, 'x' is a string", "\\\"i\\\"", "int64 7"},
    {"'x' is a string", "'i'", "string i"},
    {"integer literals are int64", "1", "int64 1"},
    {"the smallest int64", "-9223372036854775808", "int64 -9223372036854775808"},
    {"an integer literal takes the other side's type", "tiny + 1", "int8 -128"},
    {"where exact", "tiny + 1000", "int64 1127"},
    {"on either side", "1 + f4", "float32 3.5"},
    {"0.05 is float64", "0.05", "float64 0.05"},
    {"0.05 is float64 beside an integer", "i + 0.5", "float64 7.5"},
    {"and decimal beside a decimal", "d + 0.05", "decimal(11,2) 1.30"},
    {"and decimal beside a decimal in comparisons", "d = 1.25", "bool true"},
    {"an integer literal beside a decimal", "d > 1", "bool true"},
    {"decimal times decimal adds digits and scales", "d * d", "decimal(20,4) 1.5625"},
    {"decimal digits stop at 38", "CAST(d AS decimal(38,2)) * d", "decimal(38,4) 1.5625"},
    {"decimal overflow is an error",
     "CAST('99999999999999999999999999999999999999' AS decimal(38,0)) * CAST(i AS decimal(10,0))",
     "exit 3: node `o`: …"},
    {"decimal division is float64", "d / 2", "float64 0.625"},
    {"a decimal and a float make a float", "d + f", "float64 2.75"},
    {"7/2", "7 / 2", "float64 3.5"},
    {"x/0 is infinite", "i / 0", "float64 inf"},
    {"x/0 is infinite, negative", "-i / 0", "float64 -inf"},
    {"0/0 is NaN", "(i - 7) / 0", "float64 NaN"},
    {"// floors", "i // 2", "int64 3"},
    {"// floors below zero", "-i // 2", "int64 -4"},
    {"// by zero is null", "i // (i - 7)", "int64 null"},
    {"% has the sign of the divisor", "-i % 2", "int64 1"},
    {"% has the sign of the divisor, negative", "i % -2", "int64 -1"},
    {"% by zero is null", "i % (i - 7)", "int64 null"},
    {"+ wraps", "i + 9223372036854775807", "int64 -9223372036854775802"},
    {"- wraps", "u - 5", "uint64 18446744073709551614"},
    {"* wraps", "tiny * tiny", "int8 1"},
    {"smallest // -1 wraps", "(i - 7 - 9223372036854775807 - 1) // -1", "int64 -9223372036854775808"},
    {"int with uint64 is float64", "i + u", "float64 10.0"},
    {"int with uint64 compares", "i > u", "bool true"},
    {"a negative literal against uint64", "u > -1", "bool true"},
    {"a string literal against a date", "dt > '2024-01-30'", "bool true"},
    {"a string literal against a date, other side", "'2024-01-30' < dt", "bool true"},
    {"a string literal against a datetime", "ts = '2024-01-31 10:00:00'", "bool true"},
    {"a string literal in IN", "dt IN ('2024-01-31', '2020-01-01')", "bool true"},
    {"a string literal in BETWEEN", "dt BETWEEN '2024-01-01' AND '2024-12-31'", "bool true"},
    {"that is no date is an error of the check", "dt > 'soon'", "exit 2: 'soon' is not a valid date…"},
    {"a string column against a date is an error", "dt > s",
     "exit 2: `>` has no common type for `dt` (date) and `s` (string)"},
    {"date literal", "date '1996-01-01'", "date 1996-01-01"},
    {"date plus months is a date", "dt + interval '1' month", "date 2024-02-29"},
    {"date minus months is a date", "dt - interval '2' month", "date 2023-11-30"},
    {"date plus years", "date '2024-02-29' + interval '1' year", "date 2025-02-28"},
    {"date plus days is a date", "dt + interval '1' day", "date 2024-02-01"},
    {"date plus hours is a datetime", "dt + interval '1' hour", "datetime(us) 2024-01-31T01:00:00"},
    {"datetime plus months", "ts + interval '1' month", "datetime(us) 2024-02-29T10:00:00"},
    {"datetime minus datetime is a duration", "ts - interval '1' hour - ts", "duration(us) -1h"},
    {"dates by literals", "dt >= date '1994-01-01' AND dt < date '1994-01-01' + interval '40' year",
     "bool true"},
    {"a date against a datetime", "dt < ts", "bool true"},
    {"NULL AND FALSE", "zb AND FALSE", "bool false"},
    {"NULL AND TRUE", "zb AND b", "bool null"},
    {"NULL OR TRUE", "zb OR b", "bool true"},
    {"NULL OR FALSE", "zb OR NOT b", "bool null"},
    {"NOT NULL", "NOT zb", "bool null"},
    {"NULL = NULL", "z = z", "bool null"},
    {"NULL <> NULL", "z <> z", "bool null"},
    {"IS NULL", "z IS NULL", "bool true"},
    {"IS NOT NULL", "z IS NOT NULL", "bool false"},
    {"IN with a hit beside NULL", "i IN (7, NULL)", "bool true"},
    {"IN without a hit beside NULL", "i IN (8, NULL)", "bool null"},
    {"IN with a null column", "i IN (8, z)", "bool null"},
    {"NULL IN", "z IN (1, 2)", "bool null"},
    {"NOT IN beside NULL", "i NOT IN (8, NULL)", "bool null"},
    {"NOT IN with a hit", "i NOT IN (7, NULL)", "bool false"},
    {"NOT IN", "i NOT IN (8, 9)", "bool true"},
    {"BETWEEN with NULL", "i BETWEEN 8 AND z", "bool false"},
    {"BETWEEN with NULL, unknown", "i BETWEEN 7 AND z", "bool null"},
    {"CASE takes a branch only where it is reached", "CASE WHEN s = '1' THEN CAST(s AS int64) ELSE 0 END",
     "int64 0"},
    {"CASE that is reached fails", "CASE WHEN s = 'abc' THEN CAST(s AS int64) ELSE 0 END",
     "exit 3: node `o`: cannot cast `abc` …"},
    {"CASE without ELSE is null", "CASE WHEN i = 8 THEN 1 END", "int64 null"},
    {"CASE with a null condition goes on", "CASE WHEN zb THEN 1 ELSE 2 END", "int64 2"},
    {"CASE of a value", "CASE i WHEN 7 THEN 'seven' ELSE 'other' END", "string seven"},
    {"CASE finds a common type", "CASE WHEN b THEN 1 ELSE 2.5 END", "float64 1.0"},
    {"AND evaluates the right side only where it is reached", "s <> 'abc' AND CAST(s AS int64) > 0",
     "bool false"},
    {"OR evaluates the right side only where it is reached", "s = 'abc' OR CAST(s AS int64) > 0",
     "bool true"},
    {"coalesce evaluates the next only where it is reached", "coalesce(i, CAST(s AS int64))", "int64 7"},
    {"coalesce", "coalesce(z, NULL, 5)", "int64 5"},
    {"CAST is strict", "CAST(s AS int64)", "exit 3: node `o`: cannot cast `abc` of type string to int64"},
    {"TRY_CAST is null", "TRY_CAST(s AS int64)", "int64 null"},
    {"CAST to a smaller type is strict", "CAST(i + 1000 AS int8)",
     "exit 3: node `o`: cannot cast `1007` of type int64 to int8"},
    {"CAST of a float to an integer truncates", "CAST(-f AS int64)", "int64 -1"},
    {"CAST of NULL", "CAST(NULL AS date)", "date null"},
    {"LIKE is case-sensitive", "s LIKE 'A%%'", "bool false"},
    {"LIKE", "s LIKE '_b%%'", "bool true"},
    {"LIKE takes the whole string", "s LIKE 'b'", "bool false"},
    {"LIKE has no escape", "'a%%' LIKE 'a\\\\%%'", "bool false"},
    {"unless ESCAPE is given", "'a%%' LIKE 'a!%%' ESCAPE '!'", "bool true"},
    {"ESCAPE makes the sign plain", "'ax' LIKE 'a!%%' ESCAPE '!'", "bool false"},
    {"NOT LIKE", "s NOT LIKE '%%c'", "bool false"},
    {"LIKE with NULL", "zs LIKE 'a'", "bool null"},
    {"strings compare by bytes: upper case first", "'Z' < s", "bool true"},
    {"strings compare by bytes: beyond ASCII last", "'z' < 'é'", "bool true"},
    {"a prefix is smaller", "s < 'abcd'", "bool true"},
    {"an empty string is no null", "e IS NULL", "bool false"},
    {"an empty string has length 0", "length(e)", "int64 0"},
    {"length counts characters", "length('é')", "int64 1"},
    {"substring counts from 1", "substring(s, 2, 1)", "string b"},
    {"NaN equals NaN", "f / 0 - f / 0 = f / 0 - f / 0", "bool true"},
    {"NaN is greater than all", "f / 0 - f / 0 > f / 0", "bool true"},
    {"is_nan", "is_nan(0 / 0)", "bool true"},
    {"round halves away from zero", "round(-2.5)", "float64 -3.0"},
    {"round of a decimal", "round(d, 1)", "decimal(10,1) 1.3"},
    {"horizontal max skips nulls", "max_horizontal(i, z, 3)", "int64 7"},
    {"horizontal sum skips nulls", "sum_horizontal(i, z)", "int64 7"},
    {"horizontal any is an OR", "any_horizontal(zb, b)", "bool true"},
    {"horizontal all is an AND", "all_horizontal(zb, b)", "bool null"},
    {"aggregates only in aggs", "sum(i)", "exit 2: the aggregate `sum` is not allowed here"},
    {"two selectors in one expression", "* + COLUMNS('i')", "exit 2: …"},
};

static void expressions_mean_what_is_said(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
    const meaning *m = &expressions[i];
    char expr[512];
    size_t n = 0;
    for (const char *p = m->plan; *p != '\0'; p++) { /* %% is % as in the formats around it */
      expr[n++] = *p;
      p += p[0] == '%' && p[1] == '%';
    }
    snprintf(expr + n, sizeof expr - n, " AS x");
    char plan[4096];
    snprintf(plan, sizeof plan, row_plan, expr);
    for (char *p = plan; *p != '\0'; p++) {
      *p = *p == '`' ? '"' : *p;
    }
    char expected[512];
    const char *space = strchr(m->expected, ' ');
    if (strncmp(m->expected, "exit", 4) == 0) {
      snprintf(expected, sizeof expected, "%s", m->expected);
    } else {
      snprintf(expected, sizeof expected, "x:%.*s;%s", (int)(space - m->expected), m->expected, space + 1);
    }
    check(m->says, plan, expr, ".", expected);
  }
  assert_int_equal(failures, 0);
}

/* ---- plans ---- */
#define T                                                                                                    \
  "{`id`: `t`, `op`: `values`, `schema`: {`k`: `string`, `a`: `int64`, `f`: `float64`}, `rows`: [[`x`, 1, "  \
  "1.5], [`y`, 2, null], [`x`, null, 0.5], "                                                                 \
  "[null, 4, 2.0], [null, 5, 1.0]]}, "
#define EMPTY                                                                                                \
  "{`id`: `none`, `op`: `values`, `schema`: {`k`: `string`, `a`: `int64`, `f`: `float64`, `d`: "             \
  "`decimal(10,2)`}, `rows`: []}, "
#define LR                                                                                                   \
  "{`id`: `l`, `op`: `values`, `schema`: {`k`: `int64`, `a`: `string`}, `rows`: [[1, `a1`], [2, `a2`], "     \
  "[null, `a0`], [1, `a3`]]}, "                                                                              \
  "{`id`: `r`, `op`: `values`, `schema`: {`k`: `int64`, `b`: `string`}, `rows`: [[1, `b1`], [3, `b3`], "     \
  "[null, `b0`]]}, "
#define JOIN(how) LR "{`id`: `j`, `op`: `join`, `left`: `l`, `right`: `r`, `how`: `" how "`, `on`: [`k`]}, "
#define NAN_ROWS                                                                                             \
  "{`id`: `v`, `op`: `values`, `schema`: {`n`: `int64`, `p`: `float64`, `q`: `float64`}, `rows`: [[1, 0, "   \
  "0], [2, 1, 0], [3, -1, 0], [4, null, 0], "                                                                \
  "[5, 0, 0], [6, 5, 1]]}, {`id`: `w`, `op`: `select`, `input`: `v`, `exprs`: [`n`, `p / q AS x`]}, "

static const meaning plans[] = {
    {"an output's name is its alias, its column, or its canonical text",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [`k IS NULL`], `aggs`: [`SUM( a )`, `count(*)`, "
       "`max(a) + 1`, `min(a) AS low`], `maintain_order`: "
       "true}",
     "k IS NULL:bool,sum(a):int64,count(*):int64,max(a) + 1:int64,low:int64;false,3,3,3,1;true,9,2,6,4"},
    {"sum of nothing is null, count 0, without keys there is one row",
     EMPTY "{`id`: `o`, `op`: `group_by`, `input`: `none`, `keys`: [], `aggs`: [`sum(a) AS s`, `count(*) AS "
           "n`, `count(a) AS c`, `n_unique(a) AS u`, `mean(a) AS "
           "m`, `min(k) AS lo`, `sum(d) AS d`]}",
     "s:int64,n:int64,c:int64,u:int64,m:float64,lo:string,d:decimal(38,2);null,0,0,0,null,null,null"},
    {"with keys there is no row",
     EMPTY "{`id`: `o`, `op`: `group_by`, `input`: `none`, `keys`: [`k`], `aggs`: [`count(*) AS n`]}",
     "k:string,n:int64"},
    {"aggregates skip nulls, count(*) does not",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [], `aggs`: [`count(*) AS n`, `count(a) AS a`, "
       "`count(k) AS k`, `n_unique(k) AS u`, `sum(a) AS s`, "
       "`mean(f) AS m`, `median(f) AS d`]}",
     "n:int64,a:int64,k:int64,u:int64,s:int64,m:float64,d:float64;5,4,3,2,12,1.25,1.25"},
    {"null is a group of its own",
     T "{`id`: `g`, `op`: `group_by`, `input`: `t`, `keys`: [`k`], `aggs`: [`sum(a) AS s`]}, {`id`: `o`, "
       "`op`: `sort`, `input`: `g`, `by`: [`k`]}",
     "k:string,s:int64;null,9;x,1;y,2"},
    {"DISTINCT and FILTER",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [], `aggs`: [`count(DISTINCT k) AS d`, `sum(a) "
       "FILTER (WHERE a > 1) AS s`, `count(*) FILTER (WHERE "
       "k = 'x') AS x`]}",
     "d:int64,s:int64,x:int64;2,11,2"},
    {"sum of decimals has 38 digits, their mean is a float",
     "{`id`: `v`, `op`: `values`, `schema`: {`d`: `decimal(5,2)`}, `rows`: [[`1.25`], [`2.50`]]}, {`id`: "
     "`o`, `op`: `group_by`, `input`: `v`, `keys`: [], `aggs`: "
     "[`sum(d) AS s`, `mean(d) AS m`, `max(d) AS x`]}",
     "s:decimal(38,2),m:float64,x:decimal(5,2);3.75,1.875,2.50"},
    {"sum of integers does not wrap: it fails",
     "{`id`: `v`, `op`: `values`, `schema`: {`a`: `int64`}, `rows`: [[9223372036854775807], [1]]}, {`id`: "
     "`o`, `op`: `group_by`, `input`: `v`, `keys`: [], "
     "`aggs`: [`sum(a) AS s`]}",
     "exit 3: node `o`: sum overflows int64"},
    {"first and last follow the order",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [], `aggs`: [`first(a) AS f`, `last(a) AS l`, "
       "`first(k) AS k`]}",
     "f:int64,l:int64,k:string;1,5,x"},
    {"NaN equals NaN in grouping",
     NAN_ROWS "{`id`: `g`, `op`: `group_by`, `input`: `w`, `keys`: [`x`], `aggs`: [`count(*) AS n`]}, {`id`: "
              "`o`, `op`: `sort`, `input`: `g`, `by`: [`x`]}",
     "x:float64,n:int64;null,1;-inf,1;5.0,1;inf,1;NaN,2"},
    {"0.0 and -0.0 are one group",
     "{`id`: `v`, `op`: `values`, `schema`: {`x`: `float64`}, `rows`: [[0.0], [-0.0]]}, {`id`: `o`, `op`: "
     "`group_by`, `input`: `v`, `keys`: [`x = 0 AS z`], "
     "`aggs`: [`n_unique(x) AS n`]}",
     "z:bool,n:int64;true,1"},
    {"sort puts nulls first and NaN last",
     NAN_ROWS "{`id`: `o`, `op`: `sort`, `input`: `w`, `by`: [`x`, `n`]}",
     "n:int64,x:float64;4,null;3,-inf;6,5.0;2,inf;1,NaN;5,NaN"},
    {"descending keeps nulls first and NaN last",
     NAN_ROWS "{`id`: `o`, `op`: `sort`, `input`: `w`, `by`: [{`expr`: `x`, `descending`: true}, `n`]}",
     "n:int64,x:float64;4,null;2,inf;6,5.0;3,-inf;1,NaN;5,NaN"},
    {"nulls_last per key",
     NAN_ROWS "{`id`: `o`, `op`: `sort`, `input`: `w`, `by`: [{`expr`: `x`, `nulls_last`: true}, {`expr`: "
              "`n`, `descending`: true}]}",
     "n:int64,x:float64;3,-inf;6,5.0;2,inf;5,NaN;1,NaN;4,null"},
    {"top_k is sort and head",
     NAN_ROWS "{`id`: `o`, `op`: `top_k`, `input`: `w`, `k`: 3, `by`: [{`expr`: `x`, `descending`: true, "
              "`nulls_last`: true}, `n`]}",
     "n:int64,x:float64;2,inf;6,5.0;3,-inf"},
    {"a filter keeps rows for which it is true, and the order",
     T "{`id`: `o`, `op`: `filter`, `input`: `t`, `predicate`: `f >= 1 OR a = 2`}",
     "k:string,a:int64,f:float64;x,1,1.5;y,2,null;null,4,2.0;null,5,1.0"},
    {"a filter that expands to several is their AND",
     T "{`id`: `o`, `op`: `filter`, `input`: `t`, `predicate`: `* IS NOT NULL`}",
     "k:string,a:int64,f:float64;x,1,1.5"},
    {"a selector expands inside all_horizontal",
     T "{`id`: `o`, `op`: `filter`, `input`: `t`, `predicate`: `all_horizontal(is_not_null(*))`}",
     "k:string,a:int64,f:float64;x,1,1.5"},
    {"elsewhere the whole expression repeats",
     T "{`id`: `s`, `op`: `select`, `input`: `t`, `exprs`: [`COLUMNS('[af]') * 2`]}, {`id`: `o`, `op`: "
       "`head`, `input`: `s`, `n`: 2}",
     "a * 2:int64,f * 2:float64;2,3.0;4,null"},
    {"EXCLUDE",
     T "{`id`: `s`, `op`: `select`, `input`: `t`, `exprs`: [`* EXCLUDE (a)`]}, {`id`: `o`, `op`: `head`, "
       "`input`: `s`, `n`: 1}",
     "k:string,f:float64;x,1.5"},
    {"a selector in coalesce expands to arguments",
     T "{`id`: `s`, `op`: `select`, `input`: `t`, `exprs`: [`coalesce(COLUMNS('[af]')) AS c`]}, {`id`: `o`, "
       "`op`: `tail`, `input`: `s`, `n`: 3}",
     "c:float64;0.5;4.0;5.0"},
    {"count(*) counts rows, not columns",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [], `aggs`: [`count(*)`]}", "count(*):int64;5"},
    {"nulls never match: inner",
     JOIN("inner") "{`id`: `o`, `op`: `sort`, `input`: `j`, `by`: [`k`, `a`, `b`]}",
     "k:int64,a:string,b:string;1,a1,b1;1,a3,b1"},
    {"nulls never match: left", JOIN("left") "{`id`: `o`, `op`: `sort`, `input`: `j`, `by`: [`k`, `a`, `b`]}",
     "k:int64,a:string,b:string;null,a0,null;1,a1,b1;1,a3,b1;2,a2,null"},
    {"nulls never match: right",
     JOIN("right") "{`id`: `s`, `op`: `select`, `input`: `j`, `exprs`: [`k`, `a`, `b`]}, {`id`: `o`, `op`: "
                   "`sort`, `input`: `s`, `by`: [`k`, `a`, `b`]}",
     "k:int64,a:string,b:string;null,null,b0;1,a1,b1;1,a3,b1;3,null,b3"},
    {"nulls never match: full", JOIN("full") "{`id`: `o`, `op`: `sort`, `input`: `j`, `by`: [`a`, `b`]}",
     "k:int64,a:string,k_right:int64,b:string;null,null,null,b0;null,null,3,b3;null,a0,null,null;1,a1,1,b1;2,"
     "a2,null,null;1,a3,1,b1"},
    {"nulls never match: semi", JOIN("semi") "{`id`: `o`, `op`: `sort`, `input`: `j`, `by`: [`a`]}",
     "k:int64,a:string;1,a1;1,a3"},
    {"nulls never match: anti", JOIN("anti") "{`id`: `o`, `op`: `sort`, `input`: `j`, `by`: [`a`]}",
     "k:int64,a:string;null,a0;2,a2"},
    {"unless nulls_equal",
     LR "{`id`: `j`, `op`: `join`, `left`: `l`, `right`: `r`, `how`: `inner`, `on`: [`k`], `nulls_equal`: "
        "true}, {`id`: `o`, `op`: `sort`, `input`: `j`, `by`: "
        "[`a`]}",
     "k:int64,a:string,b:string;null,a0,b0;1,a1,b1;1,a3,b1"},
    {"NaN equals NaN as a join key",
     NAN_ROWS "{`id`: `j`, `op`: `join`, `left`: `w`, `right`: `w`, `how`: `inner`, `on`: [`x`]}, {`id`: "
              "`o`, `op`: `group_by`, `input`: `j`, `keys`: [], `aggs`: "
              "[`count(*) AS n`]}",
     "n:int64;7"},
    {"a further condition of a left join decides about matching",
     LR "{`id`: `j`, `op`: `join`, `left`: `l`, `right`: `r`, `how`: `left`, `on`: [`k`], `predicate`: `a = "
        "'a1'`}, {`id`: `o`, `op`: `sort`, `input`: `j`, `by`: "
        "[`a`]}",
     "k:int64,a:string,b:string;null,a0,null;1,a1,b1;2,a2,null;1,a3,null"},
    {"unique counts null as a value",
     T "{`id`: `u`, `op`: `unique`, `input`: `t`, `subset`: [`k`], `keep`: `first`}, {`id`: `o`, `op`: "
       "`sort`, `input`: `u`, `by`: [`a`]}",
     "k:string,a:int64,f:float64;x,1,1.5;y,2,null;null,4,2.0"},
    {"unique keep last",
     T "{`id`: `o`, `op`: `unique`, `input`: `t`, `subset`: [`k`], `keep`: `last`, `maintain_order`: true}",
     "k:string,a:int64,f:float64;y,2,null;x,null,0.5;null,5,1.0"},
    {"unique keep none",
     T "{`id`: `o`, `op`: `unique`, `input`: `t`, `subset`: [`k`], `keep`: `none`, `maintain_order`: true}",
     "k:string,a:int64,f:float64;y,2,null"},
    {"maintain_order of group_by",
     T "{`id`: `o`, `op`: `group_by`, `input`: `t`, `keys`: [`k`], `aggs`: [`count(*) AS n`], "
       "`maintain_order`: true}",
     "k:string,n:int64;x,2;y,1;null,2"},
    {"a slice from the end",
     T "{`id`: `s`, `op`: `slice`, `input`: `t`, `offset`: -2, `length`: 1}, {`id`: `o`, `op`: `select`, "
       "`input`: `s`, `exprs`: [`a`]}",
     "a:int64;4"},
    {"tail",
     T "{`id`: `s`, `op`: `tail`, `input`: `t`, `n`: 2}, {`id`: `o`, `op`: `select`, `input`: `s`, `exprs`: "
       "[`a`]}",
     "a:int64;4;5"},
    {"row index",
     T "{`id`: `s`, `op`: `with_row_index`, `input`: `t`, `name`: `i`, `offset`: 10}, {`id`: `f`, `op`: "
       "`filter`, `input`: `s`, `predicate`: `k = 'x'`}, {`id`: `o`, `op`: `select`, `input`: `f`, `exprs`: "
       "[`i`]}",
     "i:int64;10;12"},
    {"a union keeps the inputs' order",
     T "{`id`: `s`, `op`: `select`, `input`: `t`, `exprs`: [`a`]}, {`id`: `h`, `op`: `head`, `input`: `s`, "
       "`n`: 1}, {`id`: `o`, `op`: `union`, `inputs`: [`h`, `s`, `h`]}",
     "a:int64;1;1;2;null;4;5;1"},
    {"a diagonal union fills with nulls",
     LR "{`id`: `o`, `op`: `union`, `inputs`: [`l`, `r`], `how`: `diagonal`}",
     "k:int64,a:string,b:string;1,a1,null;2,a2,null;null,a0,null;1,a3,null;1,null,b1;3,null,b3;null,null,b0"},
    {"pivot needs its columns",
     T "{`id`: `o`, `op`: `pivot`, `input`: `t`, `on`: [`k`], `index`: [`a`], `values`: [`f`], `agg`: `sum`}",
     "exit 2: pivot needs `on_columns`…"},
    {"a condition that could fail keeps its place behind the one that guards it",
     "{`id`: `v`, `op`: `values`, `schema`: {`s`: `string`}, `rows`: [[`1`], [`x`], [`3`]]}, {`id`: `f`, "
     "`op`: `filter`, `input`: `v`, `predicate`: `s <> 'x'`}, "
     "{`id`: `o`, `op`: `filter`, `input`: `f`, `predicate`: `CAST(s AS int64) > 1`}",
     "s:string;3"},
    {"an error is not folded away and not made",
     T "{`id`: `o`, `op`: `filter`, `input`: `t`, `predicate`: `a > 100 AND CAST('x' AS int64) > a`}",
     "k:string,a:int64,f:float64"},
};

static void plans_mean_what_is_said(void **state) {
  (void)state;
  failures = 0;
  for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
    char plan[4096];
    snprintf(plan, sizeof plan, "{`sigmapi`: 1, `nodes`: [%s], `outputs`: [`o`]}", plans[i].plan);
    for (char *p = plan; *p != '\0'; p++) {
      *p = *p == '`' ? '"' : *p;
    }
    check(plans[i].says, plan, plans[i].plan, ".", plans[i].expected);
  }
  assert_int_equal(failures, 0);
}

/* ---- CSV ---- */
typedef struct csv_meaning {
  const char *says, *text, *fields, *expected;
} csv_meaning;
static const csv_meaning csv[] = {
    {"an empty unquoted field is null, \"\" an empty string", "a,b\n1,\n2,\"\"\n3,x\n", "",
     "a:int64,b:string;1,null;2,;3,x"},
    {"types are inferred, with dates", "i,f,b,d,t,s\n1,1.5,true,2024-01-31,2024-01-31T10:00:00,x\n", "",
     "i:int64,f:float64,b:bool,d:date,t:datetime(us),s:string;1,1.5,true,2024-01-31,2024-01-31T10:00:00,x"},
    {"integers and floats make floats", "a\n1\n2.5\n", "", "a:float64;1.0;2.5"},
    {"numbers and words make strings", "a\n1\nx\n", "", "a:string;1;x"},
    {"a quoted number is a number", "a\n\"1\"\n2\n", "", "a:int64;1;2"},
    {"all empty", "a,b\n,1\n,2\n", "", "a:string,b:int64;null,1;null,2"},
    {"a ragged row is an error", "a,b\n1,2\n3\n", "", "exit 3: node `o`: this row has 1 field…"},
    {"unless ragged says otherwise: null", "a,b\n1,2\n3\n", ", \"ragged\": \"null\"",
     "a:int64,b:int64;1,2;3,null"},
    {"unless ragged says otherwise: truncate", "a,b\n1,2,9\n3\n", ", \"ragged\": \"truncate\"",
     "a:int64,b:int64;1,2;3,null"},
    {"null_values", "a\n1\nNA\n", ", \"null_values\": [\"NA\"]", "a:int64;1;null"},
    {"a schema is the types", "a,b\n1,2\n", ", \"schema\": {\"a\": \"string\", \"b\": \"float64\"}",
     "a:string,b:float64;1,2.0"},
    {"no header", "1,2\n3,4\n", ", \"has_header\": false", "column_1:int64,column_2:int64;1,2;3,4"},
    {"quotes, separators and lines in fields", "a,b\n\"x,\"\"y\"\"\",\"1\n2\"\n", "",
     "a:string,b:string;x,\"y\",1\n2"},
    {"CRLF and a byte order mark",
     "\xEF\xBB\xBF"
     "a,b\r\n1,x\r\n",
     "", "a:int64,b:string;1,x"},
    {"no end of line at the end", "a\n1\n2", "", "a:int64;1;2"},
    {"n_rows", "a\n1\n2\n3\n", ", \"n_rows\": 2", "a:int64;1;2"},
    {"row_index", "a\nx\ny\n", ", \"row_index\": {\"name\": \"i\", \"offset\": 5}",
     "i:int64,a:string;5,x;6,y"},
};

static void csv_means_what_is_said(void **state) {
  (void)state;
  failures = 0;
  char dir[] = "/tmp/sigmapi-meaning-XXXXXX";
  assert_non_null(mkdtemp(dir));
  char path[sizeof dir + 16];
  snprintf(path, sizeof path, "%s/t.csv", dir);
  for (size_t i = 0; i < sizeof csv / sizeof *csv; i++) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fputs(csv[i].text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
    char plan[1024];
    snprintf(plan, sizeof plan,
             "{\"sigmapi\": 1, \"nodes\": [{\"id\": \"o\", \"op\": \"scan_csv\", \"path\": \"t.csv\"%s}], "
             "\"outputs\": [\"o\"]}",
             csv[i].fields);
    check(csv[i].says, plan, csv[i].text, dir, csv[i].expected);
  }
  unlink(path);
  rmdir(dir);
  assert_int_equal(failures, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(expressions_mean_what_is_said),
      cmocka_unit_test(plans_mean_what_is_said),
      cmocka_unit_test(csv_means_what_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
