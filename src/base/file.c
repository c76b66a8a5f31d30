/* Small whole files, safe output files, paths (see file.h).
 *
 * An output goes to ".sigmapi-<16 hex digits>.tmp" in the target's own folder, for a rename is atomic only
 * inside one file system. A link is followed first, so that the file behind it changes and not the link. A
 * target that is no regular file (/dev/null, a fifo) is written directly: there is nothing to rename over.
 * Example: sp_file_write(mem, "a.svg", …) twice with the same bytes: the second finds a file of the same
 * size, compares, removes its temporary file and leaves a.svg and its time alone. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cformat.h"
#include "base/hash.h"
#include "base/thread.h"

#define BUFFER_SIZE ((size_t)64 << 10)
#define TEMP_TRIES 100

struct sp_out_file {
  sp_mem *mem;
  sp_arena arena;   /* of the paths below */
  const char *name; /* as the user gave it, for messages */
  char *target;     /* links followed */
  char *temp;       /* NULL: written directly */
  char *made;       /* the uppermost folder that was made for this file, or NULL */
  int fd;
  int error;    /* errno of a write that failed, 0 = none */
  bool unheard; /* the reader of standard output has gone: it has seen enough, and that is no failure */
  int64_t pos;  /* bytes taken */
  size_t used;  /* bytes in the buffer */
  uint8_t buffer[BUFFER_SIZE];
};

static sp_status io_error(sp_error *err, const char *path, const char *what, int code) {
  char text[128];
  const sp_loc loc = {.file = path};
  return sp_error_set(err, SP_IO, &loc, "%s: %s", what, sp_errno_text(code, text, sizeof text));
}

static ssize_t read_some(int fd, void *p, size_t n) {
  ssize_t got;
  do {
    got = read(fd, p, n);
  } while (got < 0 && errno == EINTR);
  return got;
}

static bool write_all(int fd, const uint8_t *p, size_t n) {
  while (n > 0) {
    const ssize_t put = write(fd, p, n);
    if (put < 0 && errno != EINTR) {
      return false;
    }
    if (put > 0) {
      p += put;
      n -= (size_t)put;
    }
  }
  return true;
}

/* ---- reading ---- */

static sp_status read_fd(sp_arena *a, int fd, const char *name, size_t max, char **ret_text, size_t *ret_n,
                         sp_error *err) {
  struct stat st;
  if (fstat(fd, &st) != 0) {
    return io_error(err, name, "cannot read", errno);
  }
  /* One byte more than the size tells the end of the file without growing. */
  const size_t known = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : (size_t)1 << 16;
  size_t cap = known < max ? known + 1 : max + 1;
  char *text = sp_arena_alloc(a, cap + 1);
  SP_TRY_ALLOC(err, text);
  size_t n = 0;
  for (;;) {
    const ssize_t got = read_some(fd, text + n, cap - n);
    if (got < 0) {
      return io_error(err, name, "cannot read", errno);
    }
    n += (size_t)got;
    if (n > max) {
      const sp_loc loc = {.file = name};
      SP_FAIL(err, SP_LIMIT, &loc, "the file is larger than the limit of %zu bytes", max);
    }
    if (got == 0) {
      break;
    }
    if (n == cap) {
      const size_t new_cap = cap < max / 2 ? cap * 2 : max + 1;
      char *to = sp_arena_alloc(a, new_cap + 1);
      SP_TRY_ALLOC(err, to);
      memcpy(to, text, n);
      text = to;
      cap = new_cap;
    }
  }
  text[n] = '\0';
  *ret_text = text;
  *ret_n = n;
  return SP_OK;
}

sp_status sp_file_read(sp_arena *a, const char *path, size_t max, char **ret_text, size_t *ret_n,
                       sp_error *err) {
  max = max < SIZE_MAX / 4 ? max : SIZE_MAX / 4;
  if (strcmp(path, "-") == 0) {
    return read_fd(a, STDIN_FILENO, "<stdin>", max, ret_text, ret_n, err);
  }
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    const sp_loc loc = {.file = path};
    SP_FAIL(err, SP_NOT_FOUND, &loc, "no such file");
  }
  if (fd < 0) {
    return io_error(err, path, "cannot open", errno);
  }
  const sp_status st = read_fd(a, fd, path, max, ret_text, ret_n, err);
  close(fd);
  return st;
}

/* ---- opening an output ---- */

/* Makes the folder of f->target and what is missing above it. */
static sp_status make_folders(sp_out_file *f, sp_error *err) {
  char *dir = sp_path_dir(&f->arena, f->target);
  SP_TRY_ALLOC(err, dir);
  for (char *p = dir + 1;; p++) {
    const char c = *p;
    if (c != '/' && c != '\0') {
      continue;
    }
    *p = '\0';
    const bool made = mkdir(dir, 0777) == 0;
    if (!made && errno != EEXIST && !sp_path_is_dir(dir)) {
      return io_error(err, dir, "cannot make the folder", errno);
    }
    if (made && f->made == NULL) {
      f->made = sp_arena_strdup(&f->arena, dir);
      if (f->made == NULL) {
        rmdir(dir);
        return sp_error_nomem(err);
      }
    }
    *p = c;
    if (c == '\0') {
      return SP_OK;
    }
  }
}

/* Takes away what make_folders made; a folder that somebody else has used meanwhile stays. */
static void remove_folders(sp_out_file *f) {
  if (f->made == NULL) {
    return;
  }
  const size_t top = strlen(f->made);
  char *slash = strrchr(f->target, '/');
  while (slash != NULL && (size_t)(slash - f->target) >= top) {
    *slash = '\0';
    if (rmdir(f->target) != 0) {
      return;
    }
    slash = strrchr(f->target, '/');
  }
}

static sp_status open_temp(sp_out_file *f, sp_error *err) {
  static _Atomic uint64_t counter;
  const char *dir = sp_path_dir(&f->arena, f->target);
  SP_TRY_ALLOC(err, dir);
  for (int i = 0; i < TEMP_TRIES; i++) {
    const uint64_t unique = sp_hash_combine((uint64_t)getpid() << 32 ^ atomic_fetch_add(&counter, 1),
                                            sp_hash_u64((uint64_t)sp_now_ns()));
    char name[64];
    sp_snprintf(name, sizeof name, ".sigmapi-%016llx.tmp", (unsigned long long)unique);
    char *temp = sp_path_join(&f->arena, dir, name);
    SP_TRY_ALLOC(err, temp);
    f->fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd >= 0) {
      f->temp = temp;
      return SP_OK;
    }
    if (errno != EEXIST) {
      break;
    }
  }
  return io_error(err, f->name, "cannot write", errno);
}

static sp_status open_target(sp_out_file *f, bool mkdir, sp_error *err) {
  struct stat st;
  const bool exists = stat(f->target, &st) == 0;
  if (exists && S_ISDIR(st.st_mode)) {
    return io_error(err, f->name, "cannot write", EISDIR);
  }
  if (exists && !S_ISREG(st.st_mode)) {
    f->fd = open(f->target, O_WRONLY | O_CLOEXEC);
    return f->fd >= 0 ? SP_OK : io_error(err, f->name, "cannot write", errno);
  }
  if (exists) {
    char real[PATH_MAX];
    if (access(f->target, W_OK) != 0 || realpath(f->target, real) == NULL) {
      return io_error(err, f->name, "cannot write", errno);
    }
    f->target = sp_arena_strdup(&f->arena, real);
    SP_TRY_ALLOC(err, f->target);
  } else if (mkdir) {
    SP_TRY(make_folders(f, err));
  }
  SP_TRY(open_temp(f, err));
  if (exists && fchmod(f->fd, st.st_mode & 07777) != 0) {
    return io_error(err, f->name, "cannot give the new file the old one's mode", errno);
  }
  return SP_OK;
}

sp_status sp_out_open(sp_mem *mem, const char *path, bool mkdir, sp_out_file **ret, sp_error *err) {
  sp_out_file *f = sp_mem_alloc(mem, sizeof *f);
  SP_TRY_ALLOC(err, f);
  f->mem = mem;
  sp_arena_init(&f->arena, mem);
  f->temp = f->made = NULL;
  f->fd = -1;
  f->error = 0;
  f->unheard = false;
  f->pos = 0;
  f->used = 0;
  const bool standard = strcmp(path, "-") == 0;
  f->target = sp_arena_strdup(&f->arena, path);
  f->name = standard ? "<stdout>" : sp_arena_strdup(&f->arena, path);
  sp_status st = SP_OK;
  if (f->target == NULL || f->name == NULL) {
    st = sp_error_nomem(err);
  } else if (standard) {
    f->fd = STDOUT_FILENO;
  } else {
    st = open_target(f, mkdir, err);
  }
  if (st != SP_OK) {
    sp_out_abort(f);
    return st;
  }
  *ret = f;
  return SP_OK;
}

/* ---- writing ---- */

static sp_status write_error(const sp_out_file *f, sp_error *err) {
  return io_error(err, f->name, "cannot write", f->error);
}

static sp_status put(sp_out_file *f, const uint8_t *p, size_t n, sp_error *err) {
  if (f->error == 0 && !f->unheard && !write_all(f->fd, p, n)) {
    f->unheard = f->fd == STDOUT_FILENO && errno == EPIPE;
    f->error = f->unheard ? 0 : errno;
  }
  return f->error == 0 ? SP_OK : write_error(f, err);
}

static sp_status flush(sp_out_file *f, sp_error *err) {
  const size_t n = f->used;
  f->used = 0;
  return put(f, f->buffer, n, err);
}

sp_status sp_out_write(sp_out_file *f, const void *p, size_t n, sp_error *err) {
  if (f->used + n > BUFFER_SIZE) {
    SP_TRY(flush(f, err));
  }
  if (n >= BUFFER_SIZE) {
    SP_TRY(put(f, p, n, err));
  } else if (n > 0) {
    memcpy(f->buffer + f->used, p, n);
    f->used += n;
  }
  f->pos += (int64_t)n;
  return f->error == 0 ? SP_OK : write_error(f, err);
}

int64_t sp_out_pos(const sp_out_file *f) {
  return f->pos;
}

/* ---- the end of an output ---- */

static bool same_bytes(int x, int y) {
  uint8_t a[8192];
  uint8_t b[8192];
  for (;;) {
    const ssize_t n = read_some(x, a, sizeof a);
    if (n <= 0) {
      return n == 0;
    }
    for (ssize_t m = 0; m < n;) {
      const ssize_t got = read_some(y, b + m, (size_t)(n - m));
      if (got <= 0) {
        return false;
      }
      m += got;
    }
    if (memcmp(a, b, (size_t)n) != 0) {
      return false;
    }
  }
}

/* A target that cannot be read counts as different: it is then replaced. */
static bool target_is_equal(const sp_out_file *f) {
  struct stat st;
  if (stat(f->target, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size != f->pos) {
    return false;
  }
  const int x = open(f->target, O_RDONLY | O_CLOEXEC);
  const int y = open(f->temp, O_RDONLY | O_CLOEXEC);
  const bool same = x >= 0 && y >= 0 && same_bytes(x, y);
  if (x >= 0) {
    close(x);
  }
  if (y >= 0) {
    close(y);
  }
  return same;
}

static void free_file(sp_out_file *f) {
  sp_arena_release(&f->arena);
  sp_mem_free(f->mem, f, sizeof *f);
}

static sp_status finish(sp_out_file *f, bool *ret_changed, sp_error *err) {
  SP_TRY(flush(f, err));
  if (f->fd != STDOUT_FILENO) {
    const int rc = close(f->fd);
    f->fd = -1;
    if (rc != 0 && errno != EINTR) {
      return io_error(err, f->name, "cannot write", errno);
    }
  }
  if (f->temp == NULL) {
    *ret_changed = true;
    return SP_OK;
  }
  if (target_is_equal(f)) {
    *ret_changed = false;
    unlink(f->temp);
    f->temp = NULL;
    return SP_OK;
  }
  if (rename(f->temp, f->target) != 0) {
    return io_error(err, f->name, "cannot write", errno);
  }
  *ret_changed = true;
  f->temp = NULL;
  return SP_OK;
}

static sp_status commit(sp_out_file *f, bool *ret_changed, sp_error *err) {
  const sp_status st = finish(f, ret_changed, err);
  if (st != SP_OK) {
    sp_out_abort(f);
    return st;
  }
  free_file(f);
  return SP_OK;
}

sp_status sp_out_commit(sp_out_file *f, sp_error *err) {
  bool changed;
  return commit(f, &changed, err);
}

sp_out_file *sp_out_abort(sp_out_file *f) {
  if (f == NULL) {
    return NULL;
  }
  if (f->fd >= 0 && f->fd != STDOUT_FILENO) {
    close(f->fd);
  }
  if (f->temp != NULL) {
    unlink(f->temp);
  }
  remove_folders(f);
  free_file(f);
  return NULL;
}

sp_status sp_file_write(sp_mem *mem, const char *path, const char *p, size_t n, bool *ret_changed,
                        sp_error *err) {
  sp_out_file *f = NULL;
  SP_TRY(sp_out_open(mem, path, false, &f, err));
  const sp_status st = sp_out_write(f, p, n, err);
  if (st != SP_OK) {
    sp_out_abort(f);
    return st;
  }
  bool changed = true;
  SP_TRY(commit(f, &changed, err));
  if (ret_changed != NULL) {
    *ret_changed = changed;
  }
  return SP_OK;
}
