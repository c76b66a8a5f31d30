/* The plan array itself, without documents: building, ordering, sharing between plans, fingerprints, fields,
 * origins, the id map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "plan/kinds.h"

typedef struct fixture {
  sp_mem mem;
  sp_arena arena;
  sp_error err;
} fixture;

static void begin(fixture *f) {
  memset(f, 0, sizeof *f);
  sp_mem_init(&f->mem, NULL, "test");
  sp_arena_init(&f->arena, &f->mem);
}

static void end(fixture *f) {
  sp_arena_release(&f->arena);
  assert_int_equal(f->mem.live, 0);
  sp_mem_release(&f->mem);
}

static sp_node *new_node(fixture *f, const char *op, const char *id) {
  sp_node *n = sp_node_new(&f->arena, sp_node_ops_find(sp_sv_from(op)));
  assert_non_null(n);
  n->id = id;
  return n;
}

static uint32_t add(fixture *f, sp_plan_builder *b, const char *op, const char *id, const uint32_t *inputs,
                    uint32_t n) {
  sp_node *x = new_node(f, op, id);
  x->n_inputs = n;
  x->inputs = sp_arena_copy(&f->arena, inputs, n * sizeof *inputs);
  const uint32_t at = sp_plan_add(b, x);
  assert_true(at != UINT32_MAX);
  return at;
}

static void the_table(void **state) {
  (void)state;
  for (uint32_t i = 0; sp_node_table[i] != NULL; i++) {
    const sp_node_ops *ops = sp_node_table[i];
    assert_ptr_equal(sp_node_ops_find(sp_sv_from(ops->name)), ops);
    assert_non_null(ops->symbol);
    assert_non_null(ops->summary);
    assert_non_null(ops->resolve);
    assert_true(ops->size >= sizeof(sp_node));
    assert_true((ops->schema != NULL) == (ops->needs != NULL));
    for (const sp_field_desc *f = ops->fields; f->key != NULL; f++) {
      assert_non_null(f->doc);
      assert_true(f->offset >= sizeof(sp_node) && f->offset < ops->size);
      assert_true((f->kind == SP_F_ENUM) == (f->choices != NULL));
    }
  }
  assert_null(sp_node_ops_find(SP_SV("filte")));
}

static void ordering_is_stable_and_drops_the_unreachable(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  sp_plan_builder b = {.arena = &f.arena};
  /* out(0) reads join(2), which reads a(3) twice; lonely(1) reads a. */
  const uint32_t out = add(&f, &b, "cache", "out", (uint32_t[]){2}, 1);
  add(&f, &b, "cache", "lonely", (uint32_t[]){3}, 1);
  add(&f, &b, "join", "join", (uint32_t[]){3, 3}, 2);
  add(&f, &b, "values", "a", NULL, 0);
  ((sp_values_node *)b.nodes[3])->given = SP_ARENA_NEW(&f.arena, sp_schema);
  const sp_plan *p = NULL;
  assert_int_equal(sp_plan_finish(&b, NULL, SP_STAGE_OPTIMIZED, &out, 1, &p, &f.err), SP_OK);
  assert_int_equal(p->n_nodes, 3);
  assert_string_equal(p->nodes[0]->id, "a");
  assert_string_equal(p->nodes[1]->id, "join");
  assert_string_equal(p->nodes[2]->id, "out");
  assert_int_equal(p->nodes[1]->inputs[0], 0);
  assert_int_equal(p->nodes[1]->inputs[1], 0);
  assert_int_equal(p->outputs[0], 2);
  assert_string_equal(p->output_ids[0], "out");
  const uint32_t *consumers = sp_plan_consumers(p, &f.arena);
  assert_int_equal(consumers[0], 2);
  assert_int_equal(consumers[2], 1);
  end(&f);
}

static void cycles_and_wild_inputs(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  sp_plan_builder b = {.arena = &f.arena};
  const uint32_t x = add(&f, &b, "cache", "x", (uint32_t[]){1}, 1);
  add(&f, &b, "cache", "y", (uint32_t[]){0}, 1);
  const sp_plan *p = NULL;
  assert_int_equal(sp_plan_finish(&b, NULL, SP_STAGE_OPTIMIZED, &x, 1, &p, &f.err), SP_INVALID);
  assert_string_equal(f.err.message, "the nodes' inputs form a cycle: x → y → x");
  sp_plan_builder c = {.arena = &f.arena};
  const uint32_t z = add(&f, &c, "cache", "z", (uint32_t[]){7}, 1);
  f.err = SP_ERROR_INIT;
  assert_int_equal(sp_plan_finish(&c, NULL, SP_STAGE_OPTIMIZED, &z, 1, &p, &f.err), SP_INTERNAL);
  const uint32_t far = 9;
  f.err = SP_ERROR_INIT;
  assert_int_equal(sp_plan_finish(&c, NULL, SP_STAGE_OPTIMIZED, &far, 1, &p, &f.err), SP_INTERNAL);
  assert_null(p);
  end(&f);
}

/* A node that two plans share never changes under the first. */
static void shared_nodes_are_copied_when_they_move(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  sp_plan_builder b = {.arena = &f.arena};
  add(&f, &b, "values", "v", NULL, 0);
  ((sp_values_node *)b.nodes[0])->given = SP_ARENA_NEW(&f.arena, sp_schema);
  const uint32_t out = add(&f, &b, "cache", "out", (uint32_t[]){0}, 1);
  const sp_plan *p = NULL;
  assert_int_equal(sp_plan_finish(&b, NULL, SP_STAGE_OPTIMIZED, &out, 1, &p, &f.err), SP_OK);
  const sp_node *v = p->nodes[0];
  const sp_node *o = p->nodes[1];
  const sp_hash128 fp = o->fingerprint;

  sp_plan_builder same = {.arena = &f.arena};
  sp_plan_add(&same, (sp_node *)(uintptr_t)v);
  sp_plan_add(&same, (sp_node *)(uintptr_t)o);
  const sp_plan *q = NULL;
  assert_int_equal(sp_plan_finish(&same, p, SP_STAGE_OPTIMIZED, &out, 1, &q, &f.err), SP_OK);
  assert_ptr_equal(q->nodes[0], v);
  assert_ptr_equal(q->nodes[1], o);

  /* A slice below: `out` stays at index 1 of the builder and reads a new node behind it. */
  sp_plan_builder more = {.arena = &f.arena};
  sp_plan_add(&more, (sp_node *)(uintptr_t)v);
  sp_node *copy = sp_node_copy(&f.arena, o);
  copy->inputs = (const uint32_t[]){2};
  sp_plan_add(&more, copy);
  sp_node *slice = new_node(&f, "slice", "s");
  ((sp_slice_node *)slice)->length = 3;
  slice->n_inputs = 1;
  slice->inputs = (const uint32_t[]){0};
  sp_plan_add(&more, slice);
  assert_int_equal(sp_plan_finish(&more, p, SP_STAGE_OPTIMIZED, &out, 1, &q, &f.err), SP_OK);
  assert_ptr_equal(q->nodes[0], v);
  assert_string_equal(q->nodes[1]->id, "s");
  assert_string_equal(q->nodes[2]->id, "out");
  assert_int_equal(q->nodes[2]->inputs[0], 1);
  assert_false(sp_hash128_eq(q->nodes[2]->fingerprint, fp));
  assert_int_equal(o->inputs[0], 0);
  assert_true(sp_hash128_eq(o->fingerprint, fp));

  /* The same index, another input: a frozen node with a new fingerprint is copied as well. */
  sp_plan_builder other = {.arena = &f.arena};
  sp_node *w = sp_node_copy(&f.arena, v);
  sp_schema_builder sb;
  sp_schema_begin(&sb, &f.arena);
  sp_schema_add(&sb, SP_SV("a"), sp_type_of(SP_KIND_INT64));
  assert_int_equal(sp_schema_finish(&sb, NULL, &((sp_values_node *)w)->given, &f.err), SP_OK);
  sp_plan_add(&other, w);
  sp_plan_add(&other, (sp_node *)(uintptr_t)o);
  assert_int_equal(sp_plan_finish(&other, p, SP_STAGE_OPTIMIZED, &out, 1, &q, &f.err), SP_OK);
  assert_ptr_not_equal(q->nodes[1], o);
  assert_true(sp_hash128_eq(o->fingerprint, fp));
  end(&f);
}

static void fields(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  sp_scan_node *x = (sp_scan_node *)new_node(&f, "scan_csv", "x");
  sp_scan_node *y = (sp_scan_node *)new_node(&f, "scan_csv", "y");
  assert_int_equal(x->separator, ',');
  assert_int_equal(x->quote, '"');
  assert_true(x->has_header && x->try_parse_dates);
  assert_int_equal(x->n_rows, -1);
  assert_int_equal(x->infer_rows, 10000);
  assert_true(sp_node_fields_eq(&x->base, &y->base));
  y->base.loc.line = 7;
  assert_true(sp_node_fields_eq(&x->base, &y->base));
  y->separator = ';';
  assert_false(sp_node_fields_eq(&x->base, &y->base));
  assert_false(sp_node_fields_eq(&x->base, new_node(&f, "scan_parquet", "z")));
  sp_hasher hx;
  sp_hasher hy;
  sp_hasher_init(&hx, 0);
  sp_hasher_init(&hy, 0);
  assert_int_equal(sp_fields_hash(&x->base, &hx), 1); /* path, which is required */
  assert_int_equal(sp_fields_hash(&y->base, &hy), 2);
  assert_false(sp_hash128_eq(sp_hasher_finish(&hx), sp_hasher_finish(&hy)));
  const sp_field_desc *field = NULL;
  const sp_items *items = NULL;
  assert_true(sp_node_items(&x->base, 0, &field, &items));
  assert_string_equal(field->key, "predicate");
  assert_false(sp_node_items(&x->base, 1, &field, &items));
  end(&f);
}

static sp_origin set(fixture *f, const uint32_t *ids, uint32_t n) {
  return (sp_origin){.n = n, .ids = sp_arena_copy(&f->arena, ids, n * sizeof *ids)};
}

static void origins(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  const sp_origin a = set(&f, (uint32_t[]){1, 4, 9}, 3);
  const sp_origin b = set(&f, (uint32_t[]){2, 4, 10}, 3);
  const sp_origin inside = set(&f, (uint32_t[]){4, 9}, 2);
  const sp_origin none = {0};
  sp_origin r;
  assert_true(sp_origin_union(&f.arena, a, b, &r));
  assert_int_equal(r.n, 5);
  assert_memory_equal(r.ids, ((uint32_t[]){1, 2, 4, 9, 10}), 5 * sizeof(uint32_t));
  assert_true(sp_origin_union(&f.arena, a, inside, &r));
  assert_ptr_equal(r.ids, a.ids);
  assert_true(sp_origin_union(&f.arena, inside, a, &r));
  assert_ptr_equal(r.ids, a.ids);
  assert_true(sp_origin_union(&f.arena, none, a, &r));
  assert_ptr_equal(r.ids, a.ids);
  assert_true(sp_origin_union(&f.arena, none, none, &r));
  assert_int_equal(r.n, 0);
  end(&f);
}

static void id_map(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  sp_idmap m;
  sp_idmap_init(&m, &f.arena);
  assert_int_equal(sp_idmap_find(&m, SP_SV("x")), UINT32_MAX);
  for (uint32_t i = 0; i < 1000; i++) {
    uint32_t old;
    assert_true(sp_idmap_add(&m, sp_sv_from(sp_arena_printf(&f.arena, "n%u", i)), i, &old));
    assert_int_equal(old, UINT32_MAX);
  }
  uint32_t old;
  assert_true(sp_idmap_add(&m, SP_SV("n7"), 5, &old));
  assert_int_equal(old, 7);
  assert_int_equal(sp_idmap_find(&m, SP_SV("n999")), 999);
  assert_int_equal(sp_idmap_find(&m, SP_SV("n1000")), UINT32_MAX);
  end(&f);
}

/* ---- validation finds what rules could do wrong ---- */
static const sp_schema *one_column(fixture *f, const char *name, const sp_type *t) {
  sp_schema_builder b;
  const sp_schema *s = NULL;
  sp_schema_begin(&b, &f->arena);
  sp_schema_add(&b, sp_sv_from(name), t);
  assert_int_equal(sp_schema_finish(&b, NULL, &s, &f->err), SP_OK);
  return s;
}

static void broken(fixture *f, const sp_expr *predicate, const sp_schema *schema, const char *id,
                   const char *message) {
  sp_plan_builder b = {.arena = &f->arena};
  sp_values_node *v = (sp_values_node *)new_node(f, "values", "v");
  v->given = v->base.schema = one_column(f, "a", sp_type_of(SP_KIND_BOOL));
  sp_plan_add(&b, &v->base);
  sp_filter_node *n = (sp_filter_node *)new_node(f, "filter", id);
  n->predicate = *sp_items_of(&f->arena, &predicate, 1, (sp_origin){0});
  n->base.n_inputs = 1;
  n->base.inputs = (const uint32_t[]){0};
  n->base.schema = schema != NULL ? schema : v->given;
  const uint32_t out = sp_plan_add(&b, &n->base);
  const sp_plan *p = NULL;
  assert_int_equal(sp_plan_finish(&b, NULL, SP_STAGE_OPTIMIZED, &out, 1, &p, &f->err), SP_OK);
  f->err = SP_ERROR_INIT;
  const sp_status st = sp_plan_validate(p, &f->err);
  assert_int_equal(st, message != NULL ? SP_INTERNAL : SP_OK);
  assert_string_equal(f->err.message, message != NULL ? message : "");
}

static void validation(void **state) {
  (void)state;
  fixture f;
  begin(&f);
  const sp_type *t = sp_type_of(SP_KIND_BOOL);
  const sp_expr *a = sp_expr_column(&f.arena, SP_SV("a"), t);
  broken(&f, a, NULL, "f", NULL);
  broken(&f, sp_expr_column(&f.arena, SP_SV("b"), t), NULL, "f",
         "node `f`: `predicate` reads column `b`, which its input lacks");
  broken(&f, sp_expr_column(&f.arena, SP_SV("a"), NULL), NULL, "f",
         "node `f`: an expression in `predicate` is not bound");
  broken(&f, sp_expr_column(&f.arena, SP_SV("a"), sp_type_of(SP_KIND_INT8)), NULL, "f",
         "node `f`: `predicate` reads column `a` as int8, the input has bool");
  broken(&f, a, one_column(&f, "a", sp_type_of(SP_KIND_INT8)), "f",
         "node `f`: its schema is stale: column 0 is `a` bool, the schema says `a` int8");
  broken(&f, a, NULL, "v", "two nodes have the id `v`");
  broken(&f, a, NULL, "", "node 1 (filter) has no id");
  end(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table),
      cmocka_unit_test(ordering_is_stable_and_drops_the_unreachable),
      cmocka_unit_test(cycles_and_wild_inputs),
      cmocka_unit_test(shared_nodes_are_copied_when_they_move),
      cmocka_unit_test(fields),
      cmocka_unit_test(origins),
      cmocka_unit_test(id_map),
      cmocka_unit_test(validation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
