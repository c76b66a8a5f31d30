#!/usr/bin/env bash
# What `cmake --install` puts down works for others: the command, a program built with pkg-config and one built with find_package. usage: install.sh SIGMAPI SOURCE DATA
set -euo pipefail
sigmapi=$1 source=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

build=$(dirname "$sigmapi")
if grep -q 'SP_SANITIZE:STRING=.' "$build/CMakeCache.txt"; then
  echo "skipped: a sanitizer's library is not for installing"
  exit 0
fi
if [ ! -f "$build/completion.bash" ]; then
  "$sigmapi" --completion >"$build/completion.bash"
fi
cmake --install "$build" --prefix "$dir/usr" >/dev/null
"$dir/usr/bin/sigmapi" --version >/dev/null || fail "the installed command does not run"
for f in share/man/man1/sigmapi.1 share/bash-completion/completions/sigmapi include/sigmapi/sigmapi.h; do
  [ -s "$dir/usr/$f" ] || fail "$f is missing"
done

mkdir "$dir/app"
cat >"$dir/app/main.c" <<'C'
#include <sigmapi/sigmapi.h>
#include <stdio.h>

int main(int argc, char **argv) {
  const sp_session_options options = {.data_root = NULL};
  sp_exec_options run;
  sp_error err = SP_ERROR_INIT;
  sp_session *s = NULL;
  const sp_report *report = NULL;
  char *svg = NULL;
  size_t n = 0;
  sp_exec_options_init(&run);
  run.discard = true;
  const int ok = argc == 2 && sp_session_new(&options, &s, &err) == SP_OK && sp_session_load(s, argv[1], &err) == SP_OK &&
                 sp_session_run(s, &run, &err) == SP_OK && sp_session_report(s, NULL, &report, &err) == SP_OK &&
                 sp_render(report, "svg", NULL, &svg, &n, &err) == SP_OK;
  printf("%s %zu\n", ok ? "drawn" : err.message, n);
  sp_render_free(svg, n);
  sp_session_free(s);
  return ok ? 0 : 1;
}
C
export PKG_CONFIG_PATH
PKG_CONFIG_PATH=$(dirname "$(find "$dir/usr" -name sigmapi.pc)")
# shellcheck disable=SC2046
gcc "$dir/app/main.c" -o "$dir/app/by-pkg-config" $(pkg-config --cflags --static --libs sigmapi) || fail "pkg-config"
"$dir/app/by-pkg-config" "$source/samples/gallery/flights.json" | grep -q '^drawn' || fail "the program built with pkg-config"

cat >"$dir/app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(app C)
find_package(sigmapi REQUIRED)
add_executable(app main.c)
target_link_libraries(app PRIVATE sigmapi::sigmapi)
if(NOT EXISTS ${SIGMAPI_COMMAND})
  message(FATAL_ERROR "SIGMAPI_COMMAND: ${SIGMAPI_COMMAND}")
endif()
CMAKE
cmake -S "$dir/app" -B "$dir/app/build" -DCMAKE_PREFIX_PATH="$dir/usr" >/dev/null || fail "find_package"
cmake --build "$dir/app/build" >/dev/null || fail "building with find_package"
"$dir/app/build/app" "$source/samples/gallery/flights.json" | grep -q '^drawn' || fail "the program built with find_package"
echo "install: fine"
