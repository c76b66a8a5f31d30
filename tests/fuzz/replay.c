/* Runs a fuzz driver over files and folders given as arguments; what is not there is counted as skipped. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned ran, skipped;

static void run_file(const char *path) {
  FILE *f = fopen(path, "rb");
  if (f == NULL) {
    skipped++;
    return;
  }
  uint8_t *data = malloc((size_t)64 << 20);
  const size_t n = data != NULL ? fread(data, 1, (size_t)64 << 20, f) : 0;
  (void)fclose(f);
  uint8_t *exact = malloc(n > 0 ? n : 1); /* so that a sanitizer sees a read behind the end */
  if (data != NULL && exact != NULL) {
    memcpy(exact, data, n);
    (void)LLVMFuzzerTestOneInput(exact, n);
    ran++;
  }
  free(exact);
  free(data);
}

static void run_folder(const char *path) {
  DIR *d = opendir(path);
  for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
    char file[4096];
    struct stat st;
    if (snprintf(file, sizeof file, "%s/%s", path, e->d_name) < (int)sizeof file && stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
      run_file(file);
    }
  }
  if (d != NULL) {
    (void)closedir(d);
  }
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    struct stat st;
    if (stat(argv[i], &st) != 0) {
      printf("skipped: %s is not there\n", argv[i]);
      skipped++;
    } else if (S_ISDIR(st.st_mode)) {
      run_folder(argv[i]);
    } else {
      run_file(argv[i]);
    }
  }
  printf("%u inputs, %u skipped\n", ran, skipped);
  return ran > 0 || skipped > 0 ? 0 : 1;
}
