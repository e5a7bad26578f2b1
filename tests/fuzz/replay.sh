#!/bin/sh
# Every committed input of every fuzz target, through the normal build.
cd "${FUZZ_DIR:-tests/fuzz}" || exit 99
corpus=${TESTS_DIR:-$(dirname "$0")/..}/fuzz/corpus
targets='command csv jsonl mapping served trec'
failed=0
i=0
echo "1..$(echo $targets | wc -w)"
for target in $targets; do
  i=$((i + 1))
  if timeout 120 ./$target "$corpus/$target" >$target.out 2>&1; then
    echo "ok $i - $target: $(tail -n 1 $target.out)"
  else
    failed=1
    echo "not ok $i - $target"
    tail -n 5 $target.out | sed 's/^/# /'
  fi
  rm -f $target.out
done
exit $failed
