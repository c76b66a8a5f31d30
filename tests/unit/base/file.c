/* Whole files, outputs that appear whole or not at all, and paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/torture.h"

typedef struct fixture {
  sp_mem mem;
  sp_arena a;
  char dir[64];
} fixture;

static int set_up(void **state) {
  static fixture f;
  sp_mem_init(&f.mem, NULL, "test");
  sp_arena_init(&f.a, &f.mem);
  strcpy(f.dir, "sigmapi-test-XXXXXX");
  *state = &f;
  return mkdtemp(f.dir) == NULL;
}

static uint32_t entries(const char *dir) {
  uint32_t n = 0;
  DIR *d = opendir(dir);
  assert_non_null(d);
  for (struct dirent *e; (e = readdir(d)) != NULL;) {
    n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
  }
  closedir(d);
  return n;
}

static void remove_all(const char *dir) {
  DIR *d = opendir(dir);
  if (d == NULL) {
    return;
  }
  for (struct dirent *e; (e = readdir(d)) != NULL;) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlink(path) != 0) {
      remove_all(path);
    }
  }
  closedir(d);
  rmdir(dir);
}

static int tear_down(void **state) {
  fixture *f = *state;
  remove_all(f->dir);
  sp_arena_release(&f->a);
  sp_mem_release(&f->mem);
  return 0;
}

static const char *in(fixture *f, const char *name) {
  return sp_path_join(&f->a, f->dir, name);
}

static void written_is_read(void **state) {
  fixture *f = *state;
  const char *path = in(f, "a.txt");
  bool changed = false;
  assert_int_equal(sp_file_write(&f->mem, path, "a\0b\n", 4, &changed, NULL), SP_OK);
  assert_true(changed);
  char *text = NULL;
  size_t n = 0;
  assert_int_equal(sp_file_read(&f->a, path, 4, &text, &n, NULL), SP_OK);
  assert_int_equal(n, 4);
  assert_memory_equal(text, "a\0b\n", 5); /* and a NUL */
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_file_read(&f->a, path, 3, &text, &n, &e), SP_LIMIT);
  assert_string_equal(e.file, path);
  e = SP_ERROR_INIT;
  assert_int_equal(sp_file_read(&f->a, in(f, "none"), 3, &text, &n, &e), SP_NOT_FOUND);
  assert_int_equal(sp_file_read(&f->a, f->dir, 3, &text, &n, NULL), SP_IO);
  assert_int_equal(sp_file_write(&f->mem, in(f, "empty"), "", 0, NULL, NULL), SP_OK);
  assert_int_equal(sp_file_read(&f->a, in(f, "empty"), 0, &text, &n, NULL), SP_OK);
  assert_int_equal(n, 0);
  assert_int_equal(entries(f->dir), 2);
}

/* A file whose size is not known before: more than the first guess of 64 KiB comes through a fifo. */
static void a_pipe_is_read_whole(void **state) {
  fixture *f = *state;
  const char *path = in(f, "fifo");
  assert_int_equal(mkfifo(path, 0600), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    FILE *out = fopen(path, "w");
    for (int i = 0; out != NULL && i < 300000; i++) {
      fputc('a' + i % 26, out);
    }
    _exit(out != NULL && fclose(out) == 0 ? 0 : 1);
  }
  char *text = NULL;
  size_t n = 0;
  assert_int_equal(sp_file_read(&f->a, path, 1 << 20, &text, &n, NULL), SP_OK);
  assert_int_equal(n, 300000);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(text[i], 'a' + i % 26);
  }
}

static void equal_bytes_leave_the_file_alone(void **state) {
  fixture *f = *state;
  const char *path = in(f, "a");
  assert_int_equal(sp_file_write(&f->mem, path, "12345", 5, NULL, NULL), SP_OK);
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
  struct stat before;
  struct stat after;
  assert_int_equal(stat(path, &before), 0);
  bool changed = true;
  assert_int_equal(sp_file_write(&f->mem, path, "12345", 5, &changed, NULL), SP_OK);
  assert_false(changed);
  assert_int_equal(stat(path, &after), 0);
  assert_int_equal(after.st_mtime, 1000);
  assert_int_equal(after.st_ino, before.st_ino);
  assert_int_equal(sp_file_write(&f->mem, path, "12346", 5, &changed, NULL), SP_OK);
  assert_true(changed);
  assert_int_equal(stat(path, &after), 0);
  assert_true(after.st_mtime > 1000);
  assert_int_equal(entries(f->dir), 1);
}

static void modes_and_links_stay(void **state) {
  fixture *f = *state;
  const char *path = in(f, "a");
  const mode_t mask = umask(027);
  assert_int_equal(sp_file_write(&f->mem, path, "1", 1, NULL, NULL), SP_OK);
  umask(mask);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640);
  assert_int_equal(chmod(path, 0604), 0);
  assert_int_equal(symlink("a", in(f, "link")), 0);
  assert_int_equal(sp_file_write(&f->mem, in(f, "link"), "22", 2, NULL, NULL), SP_OK);
  assert_int_equal(lstat(in(f, "link"), &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_size, 2);
  assert_int_equal(st.st_mode & 0777, 0604);
}

static void an_aborted_output_leaves_nothing(void **state) {
  fixture *f = *state;
  const char *path = in(f, "x/y/z/out");
  sp_out_file *out = NULL;
  sp_error e = SP_ERROR_INIT;
  assert_int_equal(sp_out_open(&f->mem, path, false, &out, &e), SP_IO);
  assert_string_equal(e.file, path);
  assert_null(out);
  assert_int_equal(sp_out_open(&f->mem, path, true, &out, NULL), SP_OK);
  assert_true(sp_path_is_dir(in(f, "x/y/z")));
  assert_int_equal(sp_out_write(out, "abc", 3, NULL), SP_OK);
  assert_false(sp_path_exists(path));
  assert_null(sp_out_abort(out));
  assert_int_equal(entries(f->dir), 0);
  assert_int_equal(sp_out_open(&f->mem, path, true, &out, NULL), SP_OK);
  assert_int_equal(sp_out_commit(out, NULL), SP_OK);
  assert_int_equal(entries(in(f, "x/y/z")), 1);
  assert_null(sp_out_abort(NULL));
  e = SP_ERROR_INIT;
  assert_int_equal(sp_out_open(&f->mem, in(f, "x"), true, &out, &e), SP_IO); /* a folder */
}

static void large_and_small_writes(void **state) {
  fixture *f = *state;
  const char *path = in(f, "big");
  sp_out_file *out = NULL;
  assert_int_equal(sp_out_open(&f->mem, path, false, &out, NULL), SP_OK);
  static char block[200000];
  memset(block, 'x', sizeof block);
  int64_t total = 0;
  for (size_t n = 1; n < sizeof block; n = n * 3 + 1) {
    assert_int_equal(sp_out_write(out, block, n, NULL), SP_OK);
    assert_int_equal(sp_out_write(out, "y", 1, NULL), SP_OK);
    total += (int64_t)n + 1;
    assert_int_equal(sp_out_pos(out), total);
  }
  assert_int_equal(sp_out_commit(out, NULL), SP_OK);
  char *text = NULL;
  size_t n = 0;
  assert_int_equal(sp_file_read(&f->a, path, 1 << 20, &text, &n, NULL), SP_OK);
  assert_int_equal(n, total);
  size_t at = 0;
  for (size_t k = 1; k < sizeof block; k = k * 3 + 1) {
    assert_memory_equal(text + at, block, k);
    assert_int_equal(text[at + k], 'y');
    at += k + 1;
  }
}

/* A file size limit stands in for a full disk: write fails with EFBIG. */
static void a_failed_write_leaves_the_old_file(void **state) {
  fixture *f = *state;
  const char *path = in(f, "a");
  assert_int_equal(sp_file_write(&f->mem, path, "old", 3, NULL, NULL), SP_OK);
  struct rlimit old;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  const struct rlimit small = {100000, old.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  static char block[300000];
  sp_error e = SP_ERROR_INIT;
  const sp_status st = sp_file_write(&f->mem, path, block, sizeof block, NULL, &e);
  sp_out_file *out = NULL;
  const sp_status opened = sp_out_open(&f->mem, path, false, &out, NULL);
  sp_status late = SP_OK;
  for (int i = 0; opened == SP_OK && i < 300 && late == SP_OK; i++) {
    late = sp_out_write(out, block, 1000, NULL);
  }
  const sp_status committed = opened == SP_OK ? sp_out_commit(out, NULL) : SP_OK;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_int_equal(st, SP_IO);
  assert_non_null(strstr(e.message, "cannot write"));
  assert_int_equal(late, SP_IO);
  assert_int_equal(committed, SP_IO); /* a failure is not forgotten */
  char *text = NULL;
  size_t n = 0;
  assert_int_equal(sp_file_read(&f->a, path, 10, &text, &n, NULL), SP_OK);
  assert_string_equal(text, "old");
  assert_int_equal(entries(f->dir), 1);
}

static void a_device_is_written_directly(void **state) {
  fixture *f = *state;
  bool changed = false;
  assert_int_equal(sp_file_write(&f->mem, "/dev/null", "abc", 3, &changed, NULL), SP_OK);
  assert_true(changed);
  struct stat st;
  assert_int_equal(stat("/dev/null", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  if (sp_path_exists("/dev/full")) {
    sp_error e = SP_ERROR_INIT;
    assert_int_equal(sp_file_write(&f->mem, "/dev/full", "abc", 3, NULL, &e), SP_IO);
    assert_string_equal(e.message, "cannot write: No space left on device");
  }
}

static void a_read_only_file_is_not_replaced(void **state) {
  fixture *f = *state;
  const char *path = in(f, "a");
  assert_int_equal(sp_file_write(&f->mem, path, "1", 1, NULL, NULL), SP_OK);
  assert_int_equal(chmod(path, 0444), 0);
  if (access(path, W_OK) == 0) {
    skip(); /* the superuser may write it */
  }
  assert_int_equal(sp_file_write(&f->mem, path, "2", 1, NULL, NULL), SP_IO);
}

static sp_status write_and_read(sp_mem *mem, void *ctx) {
  fixture *f = ctx;
  sp_arena a;
  sp_arena_init(&a, mem);
  char path[128];
  snprintf(path, sizeof path, "%s/p/q/r", f->dir);
  sp_out_file *out = NULL;
  sp_status st = sp_out_open(mem, path, true, &out, NULL);
  if (st == SP_OK) {
    sp_out_write(out, "abc", 3, NULL);
    st = sp_out_commit(out, NULL);
  }
  char *text = NULL;
  size_t n = 0;
  st = st == SP_OK ? sp_file_read(&a, path, 10, &text, &n, NULL) : st;
  sp_arena_release(&a);
  unlink(path);
  if (st == SP_OK) {
    snprintf(path, sizeof path, "%s/p/q", f->dir);
    rmdir(path);
    snprintf(path, sizeof path, "%s/p", f->dir);
    rmdir(path);
    assert_int_equal(entries(f->dir), 0);
  }
  return st;
}

static void failures_leave_nothing(void **state) {
  fixture *f = *state;
  SP_TORTURE(write_and_read, f);
  assert_int_equal(entries(f->dir), 0);
}

static void paths(void **state) {
  fixture *f = *state;
  sp_arena *a = &f->a;
  assert_string_equal(sp_path_join(a, "p", "x"), "p/x");
  assert_string_equal(sp_path_join(a, "p/", "x"), "p/x");
  assert_string_equal(sp_path_join(a, "p", "/x"), "/x");
  assert_string_equal(sp_path_join(a, "", "x"), "x");
  assert_string_equal(sp_path_join(a, ".", "x"), "x");
  assert_string_equal(sp_path_join(a, NULL, "x"), "x");
  assert_string_equal(sp_path_dir(a, "a/b.c"), "a");
  assert_string_equal(sp_path_dir(a, "a//b"), "a");
  assert_string_equal(sp_path_dir(a, "/x"), "/");
  assert_string_equal(sp_path_dir(a, "x"), ".");
  assert_string_equal(sp_path_dir(a, "a/b/"), "a");
  assert_string_equal(sp_path_dir(a, ""), ".");
  assert_string_equal(sp_path_base("a/b.c"), "b.c");
  assert_string_equal(sp_path_suffix("a.b/c"), "");
  assert_string_equal(sp_path_suffix("a/b.parquet"), "parquet");
  assert_string_equal(sp_path_suffix("b.tar.gz"), "gz");
  assert_string_equal(sp_path_suffix("a/.profile"), "");
  assert_string_equal(sp_path_suffix("a."), "");
  assert_true(sp_path_is_dir(f->dir));
  assert_false(sp_path_is_dir("/dev/null"));
  assert_false(sp_path_exists(in(f, "none")));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(written_is_read),
      TEST(a_pipe_is_read_whole),
      TEST(equal_bytes_leave_the_file_alone),
      TEST(modes_and_links_stay),
      TEST(an_aborted_output_leaves_nothing),
      TEST(large_and_small_writes),
      TEST(a_failed_write_leaves_the_old_file),
      TEST(a_device_is_written_directly),
      TEST(a_read_only_file_is_not_replaced),
      TEST(failures_leave_nothing),
      TEST(paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
