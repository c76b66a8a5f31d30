/* `sigmapi run PLAN`: executes and prints tables, or writes the results to files. Sinks always run.
 *
 *   sigmapi run flights.json                       a table per output, under its id when there are several
 *   sigmapi run flights.json -o out.parquet        one output
 *   sigmapi run flights.json -o 'out-{output}.csv' one file per output */
#include "cli/cli.h"

#define MARK "{output}"

static bool has_mark(const sp_cli *c) { return c->output != NULL && strstr(c->output, MARK) != NULL; }

/* The path for one output: every {output} replaced by its id. */
static const char *path_for(sp_cli *c, const sp_result *r, sp_error *err) {
  const char *path = c->output != NULL ? c->output : "-";
  for (const char *mark = strstr(path, MARK); mark != NULL && path != NULL;) {
    const size_t before = (size_t)(mark - path);
    path = sp_arena_printf(&c->arena, "%.*s%s%s", (int)before, path, r->id, mark + strlen(MARK));
    mark = path != NULL ? strstr(path + before + strlen(r->id), MARK) : NULL;
  }
  if (path == NULL) {
    (void)sp_error_nomem(err);
  }
  return path;
}

static sp_status write_batches(sp_writer *w, const sp_result *r, sp_mem *mem, sp_error *err) {
  const sp_maker mk = {mem, NULL};
  const uint32_t chunk_rows = sp_writer_chunk_rows(w);
  for (uint32_t from = 0; from < r->n_batches;) {
    uint32_t to = from;
    for (uint64_t rows = 0; to < r->n_batches && (rows == 0 || rows + r->batches[to]->n_rows <= chunk_rows); to++) {
      rows += r->batches[to]->n_rows;
    }
    sp_chunk *chunk = NULL;
    SP_TRY(sp_writer_encode(w, r->batches + from, to - from, mk, &chunk, err));
    SP_TRY(sp_writer_append(w, chunk, err));
    from = to;
  }
  return SP_OK;
}

static sp_status write_result(sp_cli *c, const sp_format *format, const sp_result *r, sp_writer **ret, sp_error *err) {
  const char *path = path_for(c, r, err);
  if (path == NULL) {
    return SP_NOMEM;
  }
  const sp_sink_spec spec = {.format = format, .path = path, .schema = r->schema};
  SP_TRY(sp_writer_open(&spec, sp_mem_process(), ret, err));
  return write_batches(*ret, r, sp_mem_process(), err);
}

/* All files are written before the first one gets its name, so that a failure leaves none behind. */
static sp_status write_results(sp_cli *c, const sp_format *format, const sp_run *run, sp_error *err) {
  sp_writer **writers = SP_ARENA_ARRAY(&c->arena, sp_writer *, run->n_results);
  SP_TRY_ALLOC(err, writers);
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < run->n_results && st == SP_OK; i++) {
    st = write_result(c, format, &run->results[i], &writers[i], err);
  }
  for (uint32_t i = 0; i < run->n_results; i++) {
    int64_t bytes = 0;
    if (st == SP_OK) {
      st = sp_writer_commit(writers[i], &bytes, err);
    } else {
      sp_writer_abort(writers[i]);
    }
  }
  return st;
}

static sp_status print_tables(sp_cli *c, const sp_run *run, sp_error *err) {
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)1 << 30);
  const sp_table_options o = {.width = c->viz.width, .ascii = c->viz.ascii, .rows = c->rows};
  const bool split = has_mark(c);
  sp_status st = SP_OK;
  for (uint32_t i = 0; i < run->n_results && st == SP_OK; i++) {
    if (run->n_results > 1 && !split) {
      const char *id = sp_cli_one_line(&c->arena, run->results[i].id, strlen(run->results[i].id));
      sp_str_addf(&out, "%s%s:\n", i > 0 ? "\n" : "", id != NULL ? id : run->results[i].id);
    }
    sp_table_print(&run->results[i], &o, &out);
    if (split) {
      const char *path = path_for(c, &run->results[i], err);
      st = path != NULL ? sp_cli_write(c, path, &out, err) : SP_NOMEM;
      sp_str_clear(&out);
    }
  }
  if (!split) {
    st = sp_cli_write(c, c->output, &out, err);
  }
  sp_str_release(&out);
  return st;
}

static sp_status write_report(sp_cli *c, sp_session *s, sp_error *err) {
  const sp_report *report = NULL;
  SP_TRY(sp_session_report(s, NULL, &report, err));
  sp_str out;
  sp_str_init(&out, sp_mem_process(), (size_t)1 << 30);
  sp_report_to_json(report, &out);
  const sp_status st = sp_cli_write(c, c->report, &out, err);
  sp_str_release(&out);
  return st;
}

/* NULL: a table. */
static sp_status choose_format(const sp_cli *c, const sp_format **ret, sp_error *err) {
  *ret = NULL;
  if (c->output_format != NULL) {
    *ret = strcmp(c->output_format, "table") == 0 ? NULL : sp_format_by_name(sp_sv_from(c->output_format));
  } else if (c->output != NULL && strcmp(c->output, "-") != 0) {
    *ret = sp_format_by_path(c->output);
    if (*ret == NULL && strstr(c->output, ".txt") == NULL) {
      (void)sp_error_set(err, SP_USAGE, NULL, "-o %s: the suffix names no format", c->output);
      sp_error_hint(err, "say --output-format table, csv or parquet");
      return SP_USAGE;
    }
  }
  return SP_OK;
}

static sp_sv output_id(const void *ctx, uint32_t i) { return sp_sv_from(((const sp_plan *)ctx)->output_ids[i]); }

/* Several outputs to one place would overwrite each other: refused before anything runs. */
static sp_status check_outputs(const sp_cli *c, sp_session *s, const sp_format *format, sp_error *err) {
  const sp_plan *p = sp_session_optimized(s);
  uint32_t n = 0;
  bool found = c->exec.only_output == NULL;
  for (uint32_t i = 0; i < p->n_outputs; i++) {
    const bool wanted = c->exec.only_output == NULL || strcmp(c->exec.only_output, p->output_ids[i]) == 0;
    found = found || wanted;
    n += wanted && (p->nodes[p->outputs[i]]->ops->flags & SP_NODE_SINK) == 0;
  }
  if (!found) {
    (void)sp_error_set(err, SP_USAGE, NULL, "--only-output: the plan has no output `%s`", c->exec.only_output);
    char near[128];
    if (sp_nearest_names(sp_sv_from(c->exec.only_output), p->n_outputs, output_id, p, near, sizeof near)) {
      sp_error_hint(err, "did you mean %s?", near);
    }
    return SP_USAGE;
  }
  for (uint32_t i = 0; i < p->n_outputs && has_mark(c); i++) {
    if (strchr(p->output_ids[i], '/') != NULL) {
      SP_FAIL(err, SP_USAGE, NULL, "-o %s: the output `%s` has a slash in its id and cannot name a file", c->output, p->output_ids[i]);
    }
  }
  if (format != NULL && n > 1 && !has_mark(c)) {
    (void)sp_error_set(err, SP_USAGE, NULL, "the plan has %u outputs: they do not fit into one file", n);
    sp_error_hint(err, "say --only-output ID, or -o 'name-{output}.%s'", sp_format_name(format));
    return SP_USAGE;
  }
  return SP_OK;
}

static sp_status execute(sp_cli *c, sp_session *s, const sp_format *format, sp_error *err) {
  SP_TRY(sp_session_load(s, c->plan, err));
  SP_TRY(sp_session_optimize(s, err));
  SP_TRY(check_outputs(c, s, format, err));
  int64_t start = sp_now_ns();
  if (c->progress) {
    c->exec.progress = sp_cli_progress;
    c->exec.progress_ctx = &start;
  }
  c->exec.keep_rows = format == NULL && c->rows > 0 ? (c->rows + 1) / 2 : -1; /* from each end */
  const sp_status st = sp_session_run(s, &c->exec, err);
  sp_cli_progress_end();
  if (st != SP_OK) {
    return sp_cli_explain_limit(c, st, err);
  }
  const sp_run *run = sp_session_last_run(s);
  if (format == NULL) {
    return print_tables(c, run, err);
  }
  return write_results(c, format, run, err);
}

static sp_status run(sp_cli *c, sp_error *err) {
  const sp_format *format = NULL;
  SP_TRY(choose_format(c, &format, err));
  sp_session *s = NULL;
  c->session.warn = sp_cli_warn_running;
  SP_TRY(sp_session_new(&c->session, &s, err));
  sp_status st = execute(c, s, format, err);
  if (c->report != NULL && sp_session_last_run(s) != NULL) {
    sp_session_drop_results(s);
    sp_error second = SP_ERROR_INIT;
    const sp_status reported = write_report(c, s, st == SP_OK ? err : &second);
    st = st == SP_OK ? reported : st;
  }
  sp_session_free(s);
  return st;
}

const sp_command sp_command_run = {
    .name = "run",
    .args = "PLAN [options]",
    .summary = "execute the plan and print or write its results",
    .text = "Executes the plan. Results are printed as tables, each output under its id, or written with -o as CSV or Parquet. Sinks of the plan always run.",
    .group = SP_OPT_RUN,
    .takes_plan = true,
    .run = run,
};
