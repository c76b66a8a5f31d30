/* The report's JSON: what is written is read back, what is wrong is refused with a message, whatever is done
 * to the bytes. */
#include "../../support/report.h"

/* Every field of every struct, none at its default. */
static const char everything[] =
    "{'sigmapi_report': 1, 'title': 'a´b.json', 'metric_names': ['output_rows', 'busy_ns'],"
    " 'plans': ["
    "  {'stage': 'resolved', 'label': 'before', 'nodes': ["
    "    {'id': 's', 'op': 'scan_csv', 'symbol': '▤', 'title': 'scan s.csv', 'headline': {'text': 's.csv'}, "
    "'note': 'n',"
    "     'details': [{'key': 'path', 'value': {'text': 's.csv'}, 'brief': true}, {'key': 'has_header', "
    "'value': {'text': 'true'}}],"
    "     'fields': [{'name': 'a', 'type': 'int64'}], 'origin': ['s'], 'is_source': true, 'columns_read': 1, "
    "'columns_total': 3,"
    "     'pushed_predicate': {'text': 'a > 15', 'spans': [0, 1, 1, 2, 1, 4, 4, 2, 5]}, 'pushed_rows': 10, "
    "'consumers': 1, 'sharing': 0, 'est_rows': 2.5},"
    "    {'id': 'f', 'op': 'sink_csv', 'symbol': '', 'title': 'sink', 'inputs': [0], 'input_labels': [null], "
    "'is_sink': true, 'is_output': true,"
    "     'output_name': 'out', 'columns_read': -1, 'columns_total': -1, 'pushed_rows': -1, 'consumers': 2, "
    "'sharing': 2, 'est_rows': -1, 'error': 'e'}],"
    "   'outputs': [{'name': 'out', 'node': 1}]},"
    "  {'stage': 'optimized', 'label': 'after', 'nodes': [{'id': 's', 'op': 'scan', 'symbol': 'x', 'title': "
    "'t', 'columns_read': -1,"
    "     'columns_total': -1, 'pushed_rows': -1, 'consumers': 0, 'sharing': 0, 'est_rows': 0}], 'outputs': "
    "[{'name': 'out', 'node': 0}]}],"
    " 'trace': {'profile': 'default', 'passes': [{'pass': 'main', 'rule': 'r', 'round': 1, 'firings': 2, "
    "'wall_ns': 3}],"
    "  'firings': [{'pass': 'main', 'rule': 'r', 'round': 0, 'before': ['f'], 'after': ['s'], 'facts': "
    "[{'kind': 'predicate', 'action': 'moved',"
    "    'rule': 'r', 'text': {'text': 'a > 15'}, 'from': 'f', 'to': 's', 'reason': 'why', 'from_node': 1, "
    "'to_node': 0}]}],"
    "  'facts': [{'kind': 'slice', 'action': 'moved', 'from_node': -1, 'to_node': -1}],"
    "  'blockers': [{'kind': 'predicate', 'action': 'stopped', 'from_node': -1, 'to_node': 0}], 'capped': "
    "true, 'wall_ns': 7},"
    " 'runs': [{'plan': 1, 'profile': 'default', 'outcome': 'ok', 'error': 'none', 'cut': [true], 'metrics': "
    "[5, -1], 'wall_ns': 1, 'cpu_ns': 2,"
    "   'peak_bytes': 3, 'rows_scanned': 4, 'rows_returned': 5, 'rss_before': 6, 'rss_peak': 7, 'rss_after': "
    "8, 'allocator_kept': 9, 'returned_bytes': 10,"
    "   'threads': 2, 'sample_at_ns': [1, 2], 'sample_rss': [3, 4], 'sample_live': [5, 6],"
    "   'activity': [{'pipeline': 0, 'worker': 1, 'start_ns': 2, 'end_ns': 3, 'rows': 4}], 'pipelines': "
    "[{'name': 'p', 'nodes': [0]}]}],"
    " 'matches': [{'plan_a': 0, 'a': 0, 'plan_b': 1, 'b': 0, 'kind': 'same', 'same_rows': true}]}";

static void test_everything_round_trips(void **state) {
  (void)state;
  desk d;
  desk_open(&d);
  const sp_report *r = desk_read(&d, desk_quotes(&d, everything));
  const char *once = desk_json(&d, r), *twice = desk_json(&d, desk_read(&d, once));
  assert_string_equal(once, twice);
  const sp_report_node *s = &r->plans[0].nodes[0];
  assert_string_equal(r->title, "a'b.json");
  assert_int_equal(r->n_metrics, 2);
  assert_int_equal(s->n_details, 2);
  assert_true(s->details[0].brief);
  assert_false(s->details[1].brief);
  assert_int_equal(s->pushed_predicate.n_spans, 3);
  assert_int_equal(s->pushed_predicate.spans[2].pos, 4);
  assert_int_equal(s->pushed_predicate.spans[2].kind, SP_SPAN_NUMBER);
  assert_true(s->est_rows == 2.5);
  assert_int_equal(s->pushed_rows, 10);
  assert_int_equal(r->plans[0].nodes[1].sharing, SP_SHARED_MERGED);
  assert_null(r->plans[0].nodes[1].input_labels[0]);
  assert_int_equal(sp_report_metric(r, &r->runs[0], 0, "output_rows"), 5);
  assert_int_equal(sp_report_metric(r, &r->runs[0], 0, "busy_ns"), -1);
  assert_int_equal(sp_report_metric(r, &r->runs[0], 0, "nonsense"), -1);
  assert_int_equal(sp_report_metric(r, &r->runs[0], 1, "busy_ns"), -1);
  assert_int_equal(r->runs[0].sample_live[1], 6);
  assert_true(r->runs[0].cut[0]);
  assert_int_equal(r->trace.firings[0].facts[0].from_node, 1);
  assert_true(r->trace.capped);
  assert_true(r->matches[0].same_rows);
  /* Each value of the text stands in the output: nothing is dropped on the way. */
  static const char *const values[] = {
      "\"pushed_rows\": 10", "\"wall_ns\": 7",           "\"returned_bytes\": 10", "\"sharing\": 2",
      "\"reason\": \"why\"", "\"output_name\": \"out\"", "\"firings\": 2",         "\"note\": \"n\""};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    if (strstr(once, values[i]) == NULL) {
      fail_msg("%s is gone", values[i]);
    }
  }
  desk_close(&d);
}

static void test_built_reports_round_trip(void **state) {
  (void)state;
  desk d;
  desk_open(&d);
  const sp_report *r = desk_report(
      &d,
      "{'sigmapi': 1, 'nodes': [{'id': 'v', 'op': 'values', 'schema': {'a': 'int64', 'x´\\\"y': 'string'}, "
      "'rows': [[1, 'é'], [2, '´']]},"
      "{'id': 'f', 'op': 'filter', 'input': 'v', 'predicate': 'a > 1', 'note': 'see \\u2028 here'},"
      "{'id': 'g', 'op': 'group_by', 'input': 'f', 'keys': ['a'], 'aggs': ['count(*) AS n']},"
      "{'id': 'out', 'op': 'head', 'input': 'g', 'n': 3}], 'outputs': ['out', 'f']}",
      true);
  const char *once = desk_json(&d, r), *twice = desk_json(&d, desk_read(&d, once));
  assert_string_equal(once, twice);
  desk_close(&d);
}

/* What is left out is not zero. */
static void test_absent_numbers_are_unknown(void **state) {
  (void)state;
  desk d;
  desk_open(&d);
  const sp_report *r = desk_read(
      &d, desk_quotes(&d, "{'sigmapi_report': 1, 'plans': [{'stage': 'resolved', 'label': 'b', 'nodes': "
                          "[{'id': 'a', 'op': 'x', 'symbol': '',"
                          "'title': 't'}]}], 'runs': [{'plan': 0, 'outcome': 'ok', 'cut': [false]}],"
                          "'trace': {'facts': [{'kind': 'slice', 'action': 'moved'}]}}"));
  assert_true(r->plans[0].nodes[0].est_rows == -1);
  assert_int_equal(r->plans[0].nodes[0].columns_read, -1);
  assert_int_equal(r->plans[0].nodes[0].pushed_rows, -1);
  assert_int_equal(r->trace.facts[0].from_node, -1);
  assert_int_equal(r->trace.facts[0].to_node, -1);
  assert_int_equal(r->runs[0].wall_ns, -1);
  assert_int_equal(r->runs[0].rss_peak, -1);
  assert_int_equal(r->trace.wall_ns, -1);
  desk_close(&d);
}

/* Each replaces `from` in `everything` by `to` and names what the message must say. */
typedef struct change {
  const char *from, *to, *message;
} change;
static const change changes[] = {
    {"'sigmapi_report': 1", "'sigmapi_report': 0", "out of range"},
    {"'sigmapi_report': 1", "'sigmapi_report': '1'", "expected an integer"},
    {"'sigmapi_report': 1", "'sigmapi_report': 2", "format 2"},
    {"'title': 'a´b.json'", "'title': 5", "expected a string"},
    {"'title': 'a´b.json'", "'title': 'a\\u0000b'", "NUL"},
    {"'plans': [", "'plans': {} , 'x': [", "expected an array"},
    {"'stage': 'resolved', ", "", "stage"},
    {"'label': 'before', ", "", "label"},
    {"{'id': 's', 'op': 'scan_csv'", "{'id': null, 'op': 'scan_csv'", "lacks id"},
    {"{'id': 's', 'op': 'scan_csv'", "{'id': 's'", "lacks id"},
    {"{'id': 's', 'op': 'scan_csv'", "{'id': 's\\u0000', 'op': 'scan_csv'", "NUL"},
    {"{'id': 's', 'op': 'scan_csv'", "{'id': 'f', 'op': 'scan_csv'", "two nodes"},
    {"'symbol': '▤'", "'symbol': null", "lacks id"},
    {"'headline': {'text': 's.csv'}", "'headline': {}", "missing `text`"},
    {"'headline': {'text': 's.csv'}", "'headline': 's.csv'", "expected an object"},
    {"'headline': {'text': 's.csv'}", "'headline': {'text': 's\\u0000csv'}", "NUL"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "[0, 1, 1, 2, 1, 4, 4, 2]", "threes"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "[0, 1, 1, 2, 1, 4, 4, 3, 5]", "inside the text"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "[0, 3, 1, 2, 1, 4, 4, 2, 5]", "ascending"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "[0, 1, 8, 2, 1, 4, 4, 2, 5]", "known kind"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "[0, -1, 1, 2, 1, 4, 4, 2, 5]", "out of range"},
    {"[0, 1, 1, 2, 1, 4, 4, 2, 5]", "['0', 1, 1]", "expected an integer"},
    {"{'key': 'path', 'value': {'text': 's.csv'}, 'brief': true}", "{'key': 'path'}", "lacks key or value"},
    {"'brief': true", "'brief': 1", "expected a boolean"},
    {"{'name': 'a', 'type': 'int64'}", "{'name': 'a'}", "lacks name or type"},
    {"'origin': ['s']", "'origin': [null]", "empty origin"},
    {"'origin': ['s']", "'origin': [3]", "expected a string"},
    {"'sharing': 2", "'sharing': 3", "out of range"},
    {"'consumers': 2", "'consumers': 4294967296", "out of range"},
    {"'consumers': 2", "'consumers': 2.5", "expected an integer"},
    {"'est_rows': 2.5", "'est_rows': '2'", "expected a number"},
    {"'inputs': [0]", "'inputs': [1]", "does not stand before"},
    {"'inputs': [0]", "'inputs': [7]", "does not stand before"},
    {"'inputs': [0]", "'inputs': []", "`inputs` has 0 entries"},
    {"'inputs': [0], ", "", "`inputs` has 0 entries"},
    {"'input_labels': [null], ", "", "`input_labels` has 0 entries"},
    {"'input_labels': [null]", "'input_labels': [null, null]", "`inputs` has 1 entries"},
    {"'outputs': [{'name': 'out', 'node': 1}]", "'outputs': [{'name': 'out', 'node': 2}]", "not in the plan"},
    {"'outputs': [{'name': 'out', 'node': 1}]", "'outputs': [{'node': 1}]", "not in the plan"},
    {"{'pass': 'main', 'rule': 'r', 'round': 1", "{'pass': 'main', 'round': 1", "lacks its name or rule"},
    {"'firings': [{'pass': 'main'", "'firings': [{'pass': null", "lacks pass or rule"},
    {"'before': ['f']", "'before': [null]", "empty id"},
    {"'from_node': 1, 'to_node': 0", "'from_node': 2, 'to_node': 0", "not there"},
    {"'from_node': 1, 'to_node': 0", "'from_node': 1, 'to_node': 1", "not there"},
    {"'from_node': 1, 'to_node': 0", "'from_node': -2, 'to_node': 0", "not there"},
    {"{'kind': 'slice', 'action': 'moved', ", "{'action': 'moved', ", "lacks kind"},
    {"'blockers': [{'kind': 'predicate', 'action': 'stopped'", "'blockers': [{'kind': 'predicate'",
     "lacks kind"},
    {"'capped': true", "'capped': 'yes'", "expected a boolean"},
    {"'runs': [{'plan': 1", "'runs': [{'plan': 2", "of no plan"},
    {"'runs': [{'plan': 1", "'runs': [{'plan': 0", "as many nodes"},
    {"'outcome': 'ok', ", "", "no outcome"},
    {"'cut': [true], ", "", "expected 0 × 2"},
    {"'cut': [true]", "'cut': [1]", "expected a boolean"},
    {"'metrics': [5, -1]", "'metrics': [5]", "expected 1 × 2"},
    {"'metrics': [5, -1], ", "", "lacks metrics"},
    {"'sample_rss': [3, 4]", "'sample_rss': [3]", "`sample_at_ns` has 2 entries"},
    {"'sample_at_ns': [1, 2], ", "", "`sample_at_ns` has 0 entries"},
    {"'sample_live': [5, 6]", "'sample_live': [5, 6, 7]", "expected 2 × 1"},
    {", 'sample_live': [5, 6]", "", "lacks what was live"},
    {"{'pipeline': 0,", "{'pipeline': 1,", "of no pipeline"},
    {"{'name': 'p', 'nodes': [0]}", "{'nodes': [0]}", "has no name"},
    {"{'name': 'p', 'nodes': [0]}", "{'name': 'p', 'nodes': [1]}", "not there"},
    {"'plan_b': 1, 'b': 0", "'plan_b': 2, 'b': 0", "not there"},
    {"'plan_b': 1, 'b': 0", "'plan_b': 1, 'b': 1", "not there"},
    {"'kind': 'same', ", "", "not there"},
    {"'metric_names': ['output_rows', 'busy_ns']", "'metric_names': ['output_rows', null]", "has no name"},
};

static void test_everything_wrong_is_refused(void **state) {
  (void)state;
  desk d;
  desk_open(&d);
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
    const char *at = strstr(everything, changes[i].from);
    if (at == NULL) {
      fail_msg("%s is not in the report", changes[i].from);
    }
    const char *text = sp_arena_printf(&d.arena, "%.*s%s%s", (int)(at - everything), everything,
                                       changes[i].to, at + strlen(changes[i].from));
    assert_non_null(text);
    const sp_report *r = NULL;
    const char *json = desk_quotes(&d, text);
    if (desk_try_read(&d, json, strlen(json), &r) == SP_OK) {
      fail_msg("accepted: %s instead of %s", changes[i].to, changes[i].from);
    }
    if (strstr(d.err.message, changes[i].message) == NULL) {
      fail_msg("%s: the message is `%s`, expected `%s`", changes[i].to, d.err.message, changes[i].message);
    }
    assert_null(r);
  }
  desk_close(&d);
}

/* Unknown keys are of newer versions. */
static void test_unknown_keys_are_passed_over(void **state) {
  (void)state;
  desk d;
  desk_open(&d);
  const sp_report *r =
      desk_read(&d, desk_quotes(&d, "{'sigmapi_report': 1, 'title': 't', 'newer': {'x': [1, 2]}}"));
  assert_string_equal(r->title, "t");
  assert_int_equal(r->n_plans, 0);
  desk_close(&d);
}

/* ---- any bytes ---- */
static uint64_t next(uint64_t *x) {
  *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return *x >> 33;
}

static void mutate(char *text, size_t *n, uint64_t *rnd) {
  static const char bytes[] = "0123456789-\"{}[],:.nulltrue\\";
  for (uint64_t k = next(rnd) % 4; k < 4; k++) {
    const size_t at = next(rnd) % *n, len = 1 + next(rnd) % 12;
    switch (next(rnd) % 4) {
    case 0: /* another byte */
      text[at] = bytes[next(rnd) % (sizeof bytes - 1)];
      break;
    case 1: /* a piece less */
      if (at + len < *n) {
        memmove(text + at, text + at + len, *n - at - len);
        *n -= len;
      }
      break;
    case 2: /* a piece of another place */
      if (at + len < *n) {
        memmove(text + next(rnd) % (*n - len), text + at, len);
      }
      break;
    default: /* another digit */
      for (size_t i = at; i < *n; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
          text[i] = (char)('0' + next(rnd) % 10);
          break;
        }
      }
    }
  }
}

/* A report is read or refused, and one that is read is written and read again to the same bytes. */
static void test_mutations(void **state) {
  (void)state;
  uint64_t rnd = 20260101;
  uint32_t accepted = 0;
  for (int i = 0; i < 6000; i++) {
    desk d;
    desk_open(&d);
    char *text = desk_quotes(&d, everything);
    size_t n = strlen(text);
    mutate(text, &n, &rnd);
    const sp_report *r = NULL;
    if (desk_try_read(&d, text, n, &r) == SP_OK) {
      const char *once = desk_json(&d, r);
      assert_string_equal(once, desk_json(&d, desk_read(&d, once)));
      accepted++;
    } else {
      assert_null(r);
      assert_true(d.err.message[0] != '\0');
    }
    desk_close(&d);
  }
  assert_true(accepted > 100); /* the rest of the pipe is tested too */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_everything_round_trips),       cmocka_unit_test(test_built_reports_round_trip),
      cmocka_unit_test(test_absent_numbers_are_unknown),   cmocka_unit_test(test_everything_wrong_is_refused),
      cmocka_unit_test(test_unknown_keys_are_passed_over), cmocka_unit_test(test_mutations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
