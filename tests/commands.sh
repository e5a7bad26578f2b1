#!/bin/sh
# Command goldens: each tests/commands/NAME.in is a script; what it prints, its complaints and its exit code must be
# NAME.out. UPDATE=1 writes the .out files anew: read the difference before you commit it.
dir=${TESTS_DIR:-$(dirname "$0")}/commands
tailor=${TAILOR:-./tailor}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
dir=$(cd "$dir" && pwd)
export TAILOR_DATASETS="${DATASETS_DIR:-$dir/../../datasets}"

# What takes long says how long: on a busy machine those are other words.
slow='/^[A-Za-z0-9._+-]* took [0-9.]* s$/d; s/\( trained anew with[^,;]*\), [0-9.]* m*s\(;\|$\)/\1\2/'

set -- "$dir"/*.in
echo "1..$#"
i=0
failed=0
for script; do
  i=$((i + 1))
  name=$(basename "$script" .in)
  mkdir "$work/$name"
  (
    cd "$work/$name" || exit 99
    "$tailor" --no-init --output box -f "$script" >out 2>err </dev/null
    code=$?
    { cat out; [ ! -s err ] || { echo '--- standard error'; cat err; }; echo "--- exit $code"; } | sed "s|$dir/||g; $slow"
  ) >"$work/$name.got"
  if [ -n "${UPDATE:-}" ]; then
    cp "$work/$name.got" "$dir/$name.out"
  fi
  if cmp -s "$work/$name.got" "$dir/$name.out"; then
    echo "ok $i - $name"
  else
    failed=1
    echo "not ok $i - $name"
    diff -u "$dir/$name.out" "$work/$name.got" 2>&1 | head -n 40 | sed 's/^/# /'
  fi
done
exit $failed
