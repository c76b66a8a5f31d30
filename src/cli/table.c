/* Results as an aligned table that fits the terminal: names, types, values; numbers to the right. Too many rows are cut in the middle, too many
 * columns too, and the full count stands below.
 *
 *   origin │      n │ delay
 *   string │  int64 │ float64
 *   ───────┼────────┼────────
 *   ATL    │ 12,345 │ 7.25
 *   …      │      … │ …
 *   3,000 rows, 20 shown */
#include "cli/cli.h"

#define MIN_COLUMN 6

typedef struct cell {
  const char *text;
  uint32_t width;
} cell;

typedef struct grid {
  uint32_t n_cols, n_rows; /* of the result; rows kept */
  cell *cells;             /* header, types, rows */
  uint32_t *widths;
  bool *right;
  bool *shown;
  uint32_t gap_after; /* rows before the cut; UINT32_MAX none */
} grid;

static const char *value_line(sp_arena *a, sp_str *tmp, const sp_value *v) {
  sp_str_clear(tmp);
  if (v->is_null) {
    sp_str_add(tmp, "null");
  } else {
    sp_value_text(v, tmp);
  }
  return sp_cli_one_line(a, tmp->p, tmp->n);
}

static void set_cell(cell *c, const char *text) {
  c->text = text != NULL ? text : "?";
  c->width = (uint32_t)sp_utf8_width(c->text, strlen(c->text));
}

/* head: rows from the beginning; the others are the last that were kept. */
static bool fill(grid *g, const sp_result *r, int64_t head, sp_arena *a) {
  sp_str tmp;
  sp_str_init(&tmp, a->mem, (size_t)64 << 20);
  for (uint32_t c = 0; c < g->n_cols; c++) {
    set_cell(&g->cells[c], sp_cli_one_line(a, r->schema->fields[c].name.p, r->schema->fields[c].name.n));
    set_cell(&g->cells[g->n_cols + c], r->schema->fields[c].type->name);
    g->right[c] = sp_type_is_numeric(r->schema->fields[c].type);
  }
  const int64_t skip = r->head_rows + r->tail_rows - g->n_rows; /* in the middle */
  uint32_t row = 2;
  int64_t at = 0;
  for (uint32_t b = 0; b < r->n_batches; b++) {
    const sp_batch *batch = r->batches[b];
    for (uint32_t i = 0; i < batch->n_rows; i++, at++) {
      if (at >= head && at < head + skip) {
        continue;
      }
      for (uint32_t c = 0; c < g->n_cols; c++) {
        const sp_value v = sp_column_value(batch->cols[c], batch->sel != NULL ? batch->sel[i] : i);
        set_cell(&g->cells[(size_t)row * g->n_cols + c], value_line(a, &tmp, &v));
      }
      row++;
    }
  }
  const bool ok = sp_str_ok(&tmp);
  sp_str_release(&tmp);
  return ok;
}

/* Column widths: as wide as their widest cell while that fits; then the widest give way, and last the middle columns go. */
static void fit(grid *g, uint32_t width) {
  uint32_t total = 0;
  for (uint32_t c = 0; c < g->n_cols; c++) {
    for (uint32_t r = 0; r < g->n_rows + 2; r++) {
      const uint32_t w = g->cells[(size_t)r * g->n_cols + c].width;
      g->widths[c] = w > g->widths[c] ? w : g->widths[c];
    }
    g->shown[c] = true;
    total += g->widths[c] + 3;
  }
  while (total > width + 3) {
    uint32_t widest = 0;
    for (uint32_t c = 1; c < g->n_cols; c++) {
      widest = g->widths[c] > g->widths[widest] ? c : widest;
    }
    if (g->widths[widest] <= MIN_COLUMN + 6) {
      break;
    }
    g->widths[widest]--;
    total--;
  }
  for (uint32_t left = g->n_cols; total + 4 > width + 3 && left > 2; left--) {
    uint32_t middle = 0, seen = 0; /* the middle one of those still shown */
    for (uint32_t c = 0; c < g->n_cols; c++) {
      if (g->shown[c] && seen++ == left / 2) {
        middle = c;
      }
    }
    g->shown[middle] = false;
    total -= g->widths[middle] + 3;
  }
}

static void put_cell(sp_str *out, const char *text, uint32_t text_width, uint32_t width, bool right) {
  if (text_width <= width) {
    for (uint32_t i = text_width; right && i < width; i++) {
      sp_str_addc(out, ' ');
    }
    sp_str_add(out, text);
    for (uint32_t i = text_width; !right && i < width; i++) {
      sp_str_addc(out, ' ');
    }
    return;
  }
  uint32_t used = 0;
  const char *end = text + strlen(text);
  for (const char *p = text; p < end;) {
    uint32_t len = 1;
    (void)sp_utf8_decode(p, end, &len);
    const uint32_t w = (uint32_t)sp_utf8_width(p, len);
    if (used + w > width - 1) {
      break;
    }
    sp_str_addn(out, p, len);
    used += w;
    p += len;
  }
  sp_str_add(out, "…");
  for (uint32_t i = used + 1; i < width; i++) {
    sp_str_addc(out, ' ');
  }
}

static void trim_line(sp_str *out) {
  while (out->n > 0 && out->p[out->n - 1] == ' ') {
    out->p[--out->n] = '\0';
  }
  sp_str_addc(out, '\n');
}

/* row: index into cells, or UINT32_MAX for the row of dots. */
static void put_row(const grid *g, uint32_t row, const char *bar, sp_str *out) {
  bool first = true, hid = false;
  for (uint32_t c = 0; c < g->n_cols; c++) {
    if (!g->shown[c]) {
      if (!hid) {
        sp_str_addf(out, "%s…", bar);
      }
      hid = true;
      continue;
    }
    sp_str_add(out, first ? "" : bar);
    first = false;
    if (row == UINT32_MAX) {
      put_cell(out, "…", 1, g->widths[c], g->right[c]);
    } else {
      const cell *k = &g->cells[(size_t)row * g->n_cols + c];
      put_cell(out, k->text, k->width, g->widths[c], g->right[c]);
    }
  }
  trim_line(out);
}

static void put_rule(const grid *g, bool ascii, sp_str *out) {
  bool first = true, hid = false;
  for (uint32_t c = 0; c < g->n_cols; c++) {
    if (!g->shown[c] && hid) {
      continue;
    }
    if (!first) {
      sp_str_add(out, ascii ? "-+-" : "─┼─");
    }
    first = false;
    sp_str_repeat(out, ascii ? "-" : "─", g->shown[c] ? g->widths[c] : 1);
    hid = hid || !g->shown[c];
  }
  sp_str_addc(out, '\n');
}

static void put_count(const sp_result *r, int64_t kept, const grid *g, sp_str *out) {
  char rows[SP_HUMAN_SIZE];
  sp_human_count(r->rows, rows);
  sp_str_addf(out, "%s row%s", rows, r->rows == 1 ? "" : "s");
  if (kept < r->rows) {
    char shown[SP_HUMAN_SIZE];
    sp_human_count(kept, shown);
    sp_str_addf(out, ", %s shown", shown);
  }
  uint32_t hidden = 0;
  for (uint32_t c = 0; c < g->n_cols; c++) {
    hidden += !g->shown[c];
  }
  if (hidden > 0) {
    sp_str_addf(out, "; %u columns, %u shown", g->n_cols, g->n_cols - hidden);
  }
  sp_str_addc(out, '\n');
}

void sp_table_print(const sp_result *r, const sp_table_options *o, sp_str *out) {
  sp_arena a;
  sp_arena_init(&a, out->mem);
  int64_t kept = r->head_rows + r->tail_rows;
  int64_t head = r->head_rows;
  if (o->rows > 0 && kept > o->rows) {
    kept = o->rows;
    head = head < (kept + 1) / 2 ? head : (kept + 1) / 2;
  }
  grid g = {.n_cols = r->schema->n, .n_rows = (uint32_t)kept, .gap_after = UINT32_MAX};
  g.cells = SP_ARENA_ARRAY(&a, cell, ((size_t)g.n_rows + 2) * g.n_cols);
  g.widths = SP_ARENA_ARRAY(&a, uint32_t, g.n_cols);
  g.right = SP_ARENA_ARRAY(&a, bool, g.n_cols);
  g.shown = SP_ARENA_ARRAY(&a, bool, g.n_cols);
  if (g.cells == NULL || g.widths == NULL || g.right == NULL || g.shown == NULL || !fill(&g, r, head, &a)) {
    out->status = SP_NOMEM;
    sp_arena_release(&a);
    return;
  }
  if (kept < r->rows) {
    g.gap_after = (uint32_t)head;
  }
  fit(&g, o->width > 0 ? o->width : 100);
  const char *bar = o->ascii ? " | " : " │ ";
  if (g.n_cols > 0) {
    put_row(&g, 0, bar, out);
    put_row(&g, 1, bar, out);
    put_rule(&g, o->ascii, out);
  }
  for (uint32_t i = 0; i < g.n_rows && g.n_cols > 0; i++) {
    if (i == g.gap_after) {
      put_row(&g, UINT32_MAX, bar, out);
    }
    put_row(&g, i + 2, bar, out);
  }
  if (g.gap_after == g.n_rows && g.n_cols > 0) {
    put_row(&g, UINT32_MAX, bar, out);
  }
  put_count(r, kept, &g, out);
  sp_arena_release(&a);
}
