/* Profiles: which rules run, in which passes. The default one is a table here; others are JSON, so that two
 * versions of an optimizer are two files.
 *
 *   {"sigmapi_profile": 1, "name": "mine", "passes": [{"name": "pushdown", "max_rounds": 4, "rules":
 * ["predicate_pushdown"]}]}
 *   --disable cross_to_inner   ⇒   the same profile without that rule; a pass that loses all its rules stays,
 * empty */
#include "optimize/internal.h"

#define MAX_PASSES 100
#define MAX_PASS_RULES 100
#define MAX_ROUNDS 1000

/* Predicates first, since they change which columns are needed and where rows are counted; sharing last, when
 * what stays equal is known. */
static const char *const rows[] = {"simplify_expressions", "split_predicates", "outer_to_inner",
                                   "predicate_pushdown", "cross_to_inner"};
static const char *const columns[] = {"slice_pushdown", "projection_pushdown", "merge_projections"};
static const char *const sharing[] = {"common_subplan"};
static const char *const physical[] = {"join_build_side"};

#define PASS(pass_name, rounds, list)                                                                        \
  { .name = (pass_name), .max_rounds = (rounds), .n_rules = sizeof(list) / sizeof(list)[0], .rules = (list) }
static const sp_profile_pass default_passes[] = {PASS("rows", 10, rows), PASS("columns", 4, columns),
                                                 PASS("sharing", 4, sharing), PASS("physical", 2, physical)};
static const sp_profile default_profile = {.name = "default",
                                           .n_passes = sizeof default_passes / sizeof default_passes[0],
                                           .passes = default_passes};
static const sp_profile none = {.name = "none"};

const sp_profile *sp_profile_default(void) {
  return &default_profile;
}
const sp_profile *sp_profile_none(void) {
  return &none;
}

static sp_sv rule_name(const void *ctx, uint32_t i) {
  (void)ctx;
  return sp_sv_from(sp_rule_table[i]->name);
}

static sp_status unknown_rule(sp_sv name, sp_status st, const sp_loc *loc, sp_error *err) {
  uint32_t n = 0;
  while (sp_rule_table[n] != NULL) {
    n++;
  }
  char near[200];
  sp_error_set(err, st, loc, "unknown rule `%.*s`", (int)(name.n < 200 ? name.n : 200), name.p);
  if (sp_nearest_names(name, n, rule_name, NULL, near, sizeof near)) {
    sp_error_hint(err, "did you mean %s?", near);
  } else {
    sp_error_hint(err, "`sigmapi rules` lists them");
  }
  return st;
}

/* ---- reading ---- */
typedef struct reader {
  const sp_json_doc *doc;
  sp_arena *arena;
  sp_error *err;
} reader;

static const char *const profile_keys[] = {"sigmapi_profile", "name", "passes", NULL};
static const char *const pass_keys[] = {"name", "max_rounds", "rules", NULL};

static sp_sv key_name(const void *ctx, uint32_t i) {
  return sp_sv_from(((const char *const *)ctx)[i]);
}

static sp_status check_keys(const reader *r, const sp_json *object, const char *const *keys) {
  for (const sp_json *v = object->first; v != NULL; v = v->next) {
    uint32_t n = 0;
    while (keys[n] != NULL && !sp_sv_eq(v->key, sp_sv_from(keys[n]))) {
      n++;
    }
    if (keys[n] != NULL) {
      continue;
    }
    const sp_loc at = sp_json_key_loc(r->doc, v, r->arena);
    char near[200];
    sp_error_set(r->err, SP_INVALID, &at, "unknown key `%.*s` in a profile",
                 (int)(v->key.n < 200 ? v->key.n : 200), v->key.p);
    if (sp_nearest_names(v->key, n, key_name, keys, near, sizeof near)) {
      sp_error_hint(r->err, "did you mean %s?", near);
    }
    return SP_INVALID;
  }
  return SP_OK;
}

static sp_status want_kind(const reader *r, const sp_json *object, const char *key, sp_json_kind kind,
                           const sp_json **ret) {
  const sp_json *v = sp_json_get(object, key);
  if (v == NULL) {
    const sp_loc at = sp_json_loc(r->doc, object, r->arena);
    SP_FAIL(r->err, SP_INVALID, &at, "a profile needs `%s` here", key);
  }
  if (v->kind != kind) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    SP_FAIL(r->err, SP_INVALID, &at, "`%s` must be %s, got %s", key, sp_json_kind_name(kind),
            sp_json_kind_name(v->kind));
  }
  *ret = v;
  return SP_OK;
}

static sp_status read_rules(const reader *r, const sp_json *list, sp_profile_pass *pass) {
  if (list->n > MAX_PASS_RULES) {
    const sp_loc at = sp_json_loc(r->doc, list, r->arena);
    SP_FAIL(r->err, SP_LIMIT, &at, "a pass has at most %d rules", MAX_PASS_RULES);
  }
  const char **rules = SP_ARENA_ARRAY(r->arena, const char *, list->n);
  SP_TRY_ALLOC(r->err, rules);
  for (const sp_json *v = list->first; v != NULL; v = v->next) {
    const sp_loc at = sp_json_loc(r->doc, v, r->arena);
    if (v->kind != SP_JSON_STRING) {
      SP_FAIL(r->err, SP_INVALID, &at, "a rule must be a string, got %s", sp_json_kind_name(v->kind));
    }
    const sp_rule *rule = sp_rule_find(v->str);
    if (rule == NULL) {
      return unknown_rule(v->str, SP_NOT_FOUND, &at, r->err);
    }
    rules[pass->n_rules++] = rule->name;
  }
  pass->rules = rules;
  return SP_OK;
}

static sp_status read_pass(const reader *r, const sp_json *v, sp_profile_pass *pass) {
  const sp_loc at = sp_json_loc(r->doc, v, r->arena);
  if (v->kind != SP_JSON_OBJECT) {
    SP_FAIL(r->err, SP_INVALID, &at, "a pass must be an object, got %s", sp_json_kind_name(v->kind));
  }
  SP_TRY(check_keys(r, v, pass_keys));
  const sp_json *rules = NULL;
  const sp_json *name = NULL;
  SP_TRY(want_kind(r, v, "rules", SP_JSON_ARRAY, &rules));
  if (sp_json_get(v, "name") != NULL) {
    SP_TRY(want_kind(r, v, "name", SP_JSON_STRING, &name));
  }
  pass->name = name != NULL ? sp_arena_strndup(r->arena, name->str.p, name->str.n) : "pass";
  SP_TRY_ALLOC(r->err, pass->name);
  pass->max_rounds = 1;
  const sp_json *rounds = sp_json_get(v, "max_rounds");
  if (rounds != NULL) {
    if (rounds->kind != SP_JSON_INT || rounds->i < 1 || rounds->i > MAX_ROUNDS) {
      const sp_loc where = sp_json_loc(r->doc, rounds, r->arena);
      SP_FAIL(r->err, SP_INVALID, &where, "`max_rounds` must be an integer from 1 to %d", MAX_ROUNDS);
    }
    pass->max_rounds = (uint32_t)rounds->i;
  }
  return read_rules(r, rules, pass);
}

sp_status sp_profile_read(const sp_json_doc *d, sp_arena *a, const sp_profile **ret, sp_error *err) {
  const reader r = {d, a, err};
  const sp_loc at = sp_json_loc(d, d->root, a);
  if (d->root->kind != SP_JSON_OBJECT || sp_json_get(d->root, "sigmapi_profile") == NULL) {
    SP_FAIL(err, SP_INVALID, &at, "not an optimizer profile: expected an object with `sigmapi_profile`");
  }
  SP_TRY(check_keys(&r, d->root, profile_keys));
  const sp_json *version = NULL;
  const sp_json *passes = NULL;
  const sp_json *name = NULL;
  SP_TRY(want_kind(&r, d->root, "sigmapi_profile", SP_JSON_INT, &version));
  if (version->i != 1) {
    const sp_loc where = sp_json_loc(d, version, a);
    SP_FAIL(err, SP_UNSUPPORTED, &where, "profile version %lld is not known, 1 is", (long long)version->i);
  }
  SP_TRY(want_kind(&r, d->root, "passes", SP_JSON_ARRAY, &passes));
  if (sp_json_get(d->root, "name") != NULL) {
    SP_TRY(want_kind(&r, d->root, "name", SP_JSON_STRING, &name));
  }
  if (passes->n > MAX_PASSES) {
    const sp_loc where = sp_json_loc(d, passes, a);
    SP_FAIL(err, SP_LIMIT, &where, "a profile has at most %d passes", MAX_PASSES);
  }
  sp_profile *p = SP_ARENA_NEW(a, sp_profile);
  sp_profile_pass *list = SP_ARENA_ARRAY(a, sp_profile_pass, passes->n);
  if (p == NULL || list == NULL) {
    return sp_error_nomem(err);
  }
  p->name = name != NULL ? sp_arena_strndup(a, name->str.p, name->str.n) : "custom";
  SP_TRY_ALLOC(err, p->name);
  for (const sp_json *v = passes->first; v != NULL; v = v->next) {
    SP_TRY(read_pass(&r, v, &list[p->n_passes++]));
  }
  p->passes = list;
  *ret = p;
  return SP_OK;
}

/* ---- writing ---- */
sp_status sp_profile_write(const sp_profile *p, sp_str *out, sp_error *err) {
  sp_jw w;
  sp_jw_init(&w, out, true);
  w.inline_from = 3;
  sp_jw_open(&w, '{');
  sp_jw_key(&w, "sigmapi_profile");
  sp_jw_int(&w, 1);
  sp_jw_key(&w, "name");
  sp_jw_cstr(&w, p->name);
  sp_jw_key(&w, "passes");
  sp_jw_open(&w, '[');
  for (uint32_t i = 0; i < p->n_passes; i++) {
    sp_jw_open(&w, '{');
    sp_jw_key(&w, "name");
    sp_jw_cstr(&w, p->passes[i].name);
    sp_jw_key(&w, "max_rounds");
    sp_jw_int(&w, p->passes[i].max_rounds);
    sp_jw_key(&w, "rules");
    sp_jw_open(&w, '[');
    for (uint32_t k = 0; k < p->passes[i].n_rules; k++) {
      sp_jw_cstr(&w, p->passes[i].rules[k]);
    }
    sp_jw_close(&w, ']');
    sp_jw_close(&w, '}');
  }
  sp_jw_close(&w, ']');
  sp_jw_close(&w, '}');
  return sp_str_status(out, err);
}

/* ---- filtering ---- */
static bool listed(const char *const *names, uint32_t n, const char *name) {
  for (uint32_t i = 0; i < n; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return false;
}

static sp_status check_names(const char *const *names, uint32_t n, sp_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    if (sp_rule_find(sp_sv_from(names[i])) == NULL) {
      return unknown_rule(sp_sv_from(names[i]), SP_USAGE, NULL, err);
    }
  }
  return SP_OK;
}

/* "default without cross_to_inner", so that runs can be told apart. */
static const char *filtered_name(const sp_profile *p, const char *const *disable, uint32_t n_disable,
                                 const char *const *only, uint32_t n_only, sp_arena *a) {
  const char *name = p->name;
  for (uint32_t i = 0; i < n_only && name != NULL; i++) {
    name = sp_arena_printf(a, "%s%s%s", name, i == 0 ? " only " : ", ", only[i]);
  }
  for (uint32_t i = 0; i < n_disable && name != NULL; i++) {
    name = sp_arena_printf(a, "%s%s%s", name, i == 0 ? " without " : ", ", disable[i]);
  }
  return name;
}

sp_status sp_profile_filter(const sp_profile *p, const char *const *disable, uint32_t n_disable,
                            const char *const *only, uint32_t n_only, sp_arena *a, const sp_profile **ret,
                            sp_error *err) {
  SP_TRY(check_names(disable, n_disable, err));
  SP_TRY(check_names(only, n_only, err));
  sp_profile *c = SP_ARENA_NEW(a, sp_profile);
  sp_profile_pass *passes = SP_ARENA_ARRAY(a, sp_profile_pass, p->n_passes);
  if (c == NULL || passes == NULL) {
    return sp_error_nomem(err);
  }
  for (uint32_t i = 0; i < p->n_passes; i++) {
    const sp_profile_pass *from = &p->passes[i];
    const char **rules = SP_ARENA_ARRAY(a, const char *, from->n_rules);
    SP_TRY_ALLOC(err, rules);
    passes[i] = (sp_profile_pass){.name = from->name, .max_rounds = from->max_rounds, .rules = rules};
    for (uint32_t k = 0; k < from->n_rules; k++) {
      if (!listed(disable, n_disable, from->rules[k]) &&
          (n_only == 0 || listed(only, n_only, from->rules[k]))) {
        rules[passes[i].n_rules++] = from->rules[k];
      }
    }
  }
  c->name = filtered_name(p, disable, n_disable, only, n_only, a);
  SP_TRY_ALLOC(err, c->name);
  c->n_passes = p->n_passes;
  c->passes = passes;
  *ret = c;
  return SP_OK;
}
