#!/usr/bin/env bash
# Functions that write without a bound, keep hidden state or depend on the locale; and leftovers that do not belong into a finished tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
# comments and strings are blanked first, so that prose may name what code may not
code() {
  find src viz include -name '*.[ch]' -print0 | sort -z |
    xargs -0 awk 'FNR==1{c=0} {l=$0; gsub(/"([^"\\]|\\.)*"/,"\"\"",l); while(1){ if(c){i=index(l,"*/"); if(!i){l="";break} l=substr(l,i+2);c=0} i=index(l,"/*"); if(!i)break; j=index(substr(l,i+2),"*/"); if(j)l=substr(l,1,i-1) substr(l,i+2+j+1); else {l=substr(l,1,i-1);c=1;break} } sub(/\/\/.*/,"",l); print FILENAME ":" FNR ": " l}'
}
ban() {
  local found
  found=$(code | grep -E "(^|[^A-Za-z0-9_])($1)[[:space:]]*\(" || true)
  if [ -n "$found" ]; then
    printf 'banned (%s):\n%s\n' "$2" "$found" >&2
    status=1
  fi
}
ban 'strcpy|strcat|sprintf|vsprintf|gets|alloca|strncpy|strncat' 'no bound, or a wrong one'
ban 'strtok|asctime|ctime|gmtime|localtime|rand|srand' 'hidden state'
ban 'atoi|atol|atoll|atof|scanf|sscanf|fscanf' 'no errors'
ban 'abort|exit|_exit|quick_exit' 'only the command ends the process'
if grep -rnIwE "TODO|FIXME|XXX|HACK" src viz include samples CMakeLists.txt README.md >&2; then
  echo 'leftovers' >&2
  status=1
fi
exit $status
