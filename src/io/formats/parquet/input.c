/* Bytes of the file, by pread into pooled buffers. A file is not kept open between cursors, so that a dataset
 * of 100,000 files needs no 100,000 descriptors; size and time tell whether it is still the same one. */
#include "io/formats/parquet/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/thread.h"

sp_status sp_pq_reopen(const sp_pq_source *s, int *ret_fd, sp_error *err) {
  const int fd = open(s->base.path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    SP_FAIL(err, SP_IO, NULL, "cannot open the file: %s", strerror(errno));
  }
  struct stat st;
  if (fstat(fd, &st) != 0 || st.st_size != s->base.bytes ||
      (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec != s->mtime_ns) {
    close(fd);
    SP_FAIL(err, SP_IO, NULL, "the file has changed while it was read");
  }
  *ret_fd = fd;
  return SP_OK;
}

sp_status sp_pq_pread(int fd, int64_t at, void *dst, size_t n, sp_error *err) {
  uint8_t *p = dst;
  while (n > 0) {
    const ssize_t got = pread(fd, p, n, at);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      SP_FAIL(err, SP_IO, NULL, "cannot read the file: %s", strerror(errno));
    }
    if (got == 0) {
      SP_FAIL(err, SP_IO, NULL, "the file has become shorter while it was read");
    }
    p += got;
    at += got;
    n -= (size_t)got;
  }
  return SP_OK;
}

/* An own buffer of at least n bytes: the present one when nobody else holds it. */
static bool make_room(sp_pq_input *in, size_t n) {
  if (in->buf != NULL && atomic_load_explicit(&in->buf->refs, memory_order_acquire) == 1 &&
      in->buf->capacity >= n) {
    return true;
  }
  sp_buf *b = sp_buf_new(in->mk.pool, in->mk.mem, n);
  if (b == NULL) {
    return false;
  }
  sp_buf_unref(in->buf);
  in->buf = b;
  return true;
}

sp_status sp_pq_input_get(sp_pq_input *in, int64_t at, size_t n, const uint8_t **ret, sp_error *err) {
  if (at < 0 || at > in->end || n > (uint64_t)(in->end - at)) {
    SP_FAIL(err, SP_DATA, NULL, "data past the end of the file");
  }
  if (in->buf != NULL && at >= in->at && (uint64_t)(at - in->at) + n <= in->buf->size) {
    *ret = in->buf->data + (at - in->at);
    return SP_OK;
  }
  if (!make_room(in, n)) {
    return sp_error_nomem(err);
  }
  in->buf->size = 0;
  const int64_t t0 = sp_now_ns();
  SP_TRY(sp_pq_pread(in->fd, at, in->buf->data, n, err));
  *in->wait_ns += sp_now_ns() - t0;
  if (in->stats != NULL) {
    atomic_fetch_add_explicit(&in->stats->bytes_scanned, (int64_t)n, memory_order_relaxed);
  }
  in->buf->size = n;
  in->at = at;
  *ret = in->buf->data;
  return SP_OK;
}

void sp_pq_input_release(sp_pq_input *in) {
  in->buf = sp_buf_unref(in->buf);
}
