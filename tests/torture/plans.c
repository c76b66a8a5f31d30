/* Every allocation fails once, on a three-row plan per node kind: reading, resolving, optimizing, running, reporting and drawing give a clean error,
 * nothing stays allocated and no file is left behind. Graphviz and cJSON allocate on their own and are not part of this. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "session/session.h"
#include "viz/viz.h"

#define EVERY 2000 /* each of the first allocations fails; then every 1.1th */

#define VALUES                                                                                                                                              \
  "{\"id\": \"v\", \"op\": \"values\", \"schema\": {\"a\": \"int64\", \"b\": \"string\", \"c\": \"float64\"}, \"rows\": [[1, \"x\", 0.5], [2, null, 1.5], "    \
  "[1, \"a longer text than twelve bytes\", null]]}"
#define OTHER "{\"id\": \"w\", \"op\": \"values\", \"schema\": {\"a\": \"int64\", \"d\": \"string\"}, \"rows\": [[1, \"y\"], [3, \"z\"], [null, \"n\"]]}"

typedef struct sample {
  const char *name, *nodes; /* the last is `out` */
} sample;
static const sample samples[] = {
    {"filter", "{\"id\": \"out\", \"op\": \"filter\", \"input\": \"v\", \"predicate\": \"a > 1 OR b LIKE '%text%'\"}"},
    {"select", "{\"id\": \"out\", \"op\": \"select\", \"input\": \"v\", \"exprs\": [\"a + 1 AS d\", \"upper(b) AS e\", \"CASE WHEN c > 1 THEN b ELSE 'n' END AS f\"]}"},
    {"with_columns", "{\"id\": \"out\", \"op\": \"with_columns\", \"input\": \"v\", \"exprs\": [\"b || 'x' AS d\", \"CAST(c AS decimal(9,2)) AS e\"]}"},
    {"drop", "{\"id\": \"out\", \"op\": \"drop\", \"input\": \"v\", \"columns\": [\"b\"]}"},
    {"rename", "{\"id\": \"out\", \"op\": \"rename\", \"input\": \"v\", \"columns\": {\"b\": \"z\"}}"},
    {"group_by", "{\"id\": \"out\", \"op\": \"group_by\", \"input\": \"v\", \"keys\": [\"b\"], \"aggs\": [\"sum(c)\", \"count(*)\", \"min(b) AS m\", \"n_unique(a)\", \"median(c)\", \"count(DISTINCT b) AS u\"]}"},
    {"total", "{\"id\": \"out\", \"op\": \"group_by\", \"input\": \"v\", \"keys\": [], \"aggs\": [\"mean(c)\", \"max(b)\", \"first(b) AS f\"]}"},
    {"join", OTHER ", {\"id\": \"out\", \"op\": \"join\", \"left\": \"v\", \"right\": \"w\", \"how\": \"inner\", \"on\": [\"a\"], \"predicate\": \"b <> d\"}"},
    {"full join", OTHER ", {\"id\": \"out\", \"op\": \"join\", \"left\": \"v\", \"right\": \"w\", \"how\": \"full\", \"on\": [\"a\"]}"},
    {"anti join", OTHER ", {\"id\": \"out\", \"op\": \"join\", \"left\": \"v\", \"right\": \"w\", \"how\": \"anti\", \"left_on\": [\"b\"], \"right_on\": [\"d\"]}"},
    {"cross join", OTHER ", {\"id\": \"out\", \"op\": \"join\", \"left\": \"v\", \"right\": \"w\", \"how\": \"cross\"}"},
    {"sort", "{\"id\": \"out\", \"op\": \"sort\", \"input\": \"v\", \"by\": [\"b\", {\"expr\": \"c\", \"descending\": true}]}"},
    {"top_k", "{\"id\": \"out\", \"op\": \"top_k\", \"input\": \"v\", \"k\": 2, \"by\": [\"b\"]}"},
    {"slice", "{\"id\": \"out\", \"op\": \"slice\", \"input\": \"v\", \"offset\": -2, \"length\": 1}"},
    {"unique", "{\"id\": \"out\", \"op\": \"unique\", \"input\": \"v\", \"subset\": [\"a\"], \"keep\": \"last\", \"maintain_order\": true}"},
    {"union", "{\"id\": \"out\", \"op\": \"union\", \"inputs\": [\"v\", \"v\"]}"},
    {"with_row_index", "{\"id\": \"out\", \"op\": \"with_row_index\", \"input\": \"v\", \"name\": \"i\"}"},
    {"cache", "{\"id\": \"k\", \"op\": \"cache\", \"input\": \"v\"}, {\"id\": \"out\", \"op\": \"join\", \"left\": \"k\", \"right\": \"k\", \"how\": \"semi\", \"on\": [\"a\"]}"},
    {"sink_csv", "{\"id\": \"out\", \"op\": \"sink_csv\", \"input\": \"v\", \"path\": \"FOLDER/out.csv\"}"},
    {"sink_parquet", "{\"id\": \"out\", \"op\": \"sink_parquet\", \"input\": \"v\", \"path\": \"FOLDER/out.parquet\"}"},
    {"scan_csv", "{\"id\": \"s\", \"op\": \"scan_csv\", \"path\": \"FOLDER/in.csv\"}, {\"id\": \"out\", \"op\": \"filter\", \"input\": \"s\", \"predicate\": \"a < 2\"}"},
    {"scan_parquet", "{\"id\": \"s\", \"op\": \"scan_parquet\", \"path\": \"FOLDER/in.parquet\"}, {\"id\": \"out\", \"op\": \"filter\", \"input\": \"s\", \"predicate\": \"b = 'x'\"}"},
};

static char folder[64];

static void plan_text(const sample *s, sp_str *out) {
  sp_str_add(out, "{\"sigmapi\": 1, \"nodes\": [" VALUES ", ");
  for (const char *p = s->nodes; *p != '\0';) {
    const char *f = strstr(p, "FOLDER");
    const size_t n = f != NULL ? (size_t)(f - p) : strlen(p);
    sp_str_addn(out, p, n);
    p += n;
    if (f != NULL) {
      sp_str_add(out, folder);
      p += strlen("FOLDER");
    }
  }
  sp_str_add(out, "], \"outputs\": [\"out\"]}");
}

static sp_status draw(sp_session *s, sp_error *err) {
  static const char *const formats[] = {"text", "dot", "json"};
  const sp_report *r = NULL;
  SP_TRY(sp_session_report(s, NULL, &r, err));
  for (int i = 0; i < 3; i++) {
    char *text = NULL;
    size_t n = 0;
    SP_TRY(sp_render(r, formats[i], NULL, &text, &n, err));
    sp_render_free(text, n);
  }
  return SP_OK;
}

static sp_status run_once(const char *text, size_t n, sp_error *err) {
  const sp_session_options options = {.validate = true};
  sp_session *s = NULL;
  sp_exec_options o;
  sp_exec_options_init(&o);
  o.threads = 1;
  SP_TRY(sp_session_new(&options, &s, err));
  sp_status st = sp_session_load_text(s, "torture.json", ".", text, n, err);
  if (st == SP_OK) {
    st = sp_session_run(s, &o, err);
  }
  if (st == SP_OK) {
    st = draw(s, err);
  }
  sp_session_free(s);
  return st;
}

static uint32_t files_in_folder(void) {
  uint32_t n = 0;
  char command[128];
  (void)snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
  FILE *f = popen(command, "r");
  assert_non_null(f);
  assert_int_equal(fscanf(f, "%u", &n), 1);
  (void)pclose(f);
  return n;
}

static void torture(const sample *s) {
  sp_str text;
  sp_str_init(&text, sp_mem_process(), 65536);
  plan_text(s, &text);
  sp_error err = SP_ERROR_INIT;
  if (run_once(text.p, text.n, &err) != SP_OK) { /* also warms up what lives as long as the process */
    fail_msg("%s: %s", s->name, err.message);
  }
  const uint32_t files = files_in_folder();
  const int64_t live = atomic_load(&sp_mem_process()->live);
  int64_t n = 0;
  for (;; n = n < EVERY ? n + 1 : n + n / 10) {
    err = SP_ERROR_INIT;
    sp_mem_fail_at(n);
    const sp_status st = run_once(text.p, text.n, &err);
    const bool fired = sp_mem_fail_fired();
    sp_mem_fail_at(-1);
    if (atomic_load(&sp_mem_process()->live) != live) {
      fail_msg("%s: %lld bytes stay allocated after allocation %lld failed (%s)", s->name, (long long)(atomic_load(&sp_mem_process()->live) - live), (long long)n, err.message);
    }
    if (!fired) {
      assert_int_equal(st, SP_OK);
      break;
    }
    if (st != SP_NOMEM && st != SP_OK) { /* a cache that could not be filled may go unnoticed */
      fail_msg("%s: allocation %lld failed, but the status is `%s`: %s", s->name, (long long)n, sp_status_text(st), err.message);
    }
  }
  assert_int_equal(files_in_folder(), files);
  printf("%s: %lld allocations\n", s->name, (long long)n);
  sp_str_release(&text);
}

static void write_inputs(void) {
  static const sample inputs[] = {{"in.csv", "{\"id\": \"out\", \"op\": \"sink_csv\", \"input\": \"v\", \"path\": \"FOLDER/in.csv\", \"mkdir\": true}"},
                                  {"in.parquet", "{\"id\": \"out\", \"op\": \"sink_parquet\", \"input\": \"v\", \"path\": \"FOLDER/in.parquet\", \"mkdir\": true}"}};
  for (int i = 0; i < 2; i++) {
    sp_str text;
    sp_error err = SP_ERROR_INIT;
    sp_str_init(&text, sp_mem_process(), 65536);
    plan_text(&inputs[i], &text);
    if (run_once(text.p, text.n, &err) != SP_OK) {
      fail_msg("%s: %s", inputs[i].name, err.message);
    }
    sp_str_release(&text);
  }
}

static void test_every_kind(void **state) {
  (void)state;
  (void)snprintf(folder, sizeof folder, "/tmp/sigmapi-torture-%d", (int)getpid());
  write_inputs();
  const char *only = getenv("SIGMAPI_TORTURE");
  for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
    if (only == NULL || strcmp(only, samples[i].name) == 0) {
      torture(&samples[i]);
    }
  }
  char command[96];
  (void)snprintf(command, sizeof command, "rm -rf %s", folder);
  assert_int_equal(system(command), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_kind)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
