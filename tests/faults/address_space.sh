#!/bin/sh
# Training under limits of the address space: it works, or says what is missing and where. It never waits for ever.
. "${TESTS_DIR:-$(dirname "$0")/..}/faults/common.sh"
echo 1..2
export OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=2

# Under a sanitizer all of it is taken before anything begins.
if ! (ulimit -v 4000000 && exec $tailor -c 'load tiny') >out 2>err </dev/null; then
  skip 'a limit is kept, or there is a message' 'no room to start in'
  skip 'the matrix library says what it wants' 'no room to start in'
  exit 0
fi

trained=0 blas=0 problem=
for limit in 300000 400000 500000 600000 700000 800000 1000000 1200000 1600000; do
  code=0
  (ulimit -v $limit && exec timeout -s KILL 60 $tailor -c 'load shop' -c 'split last 1' -c 'train ease') \
    >out 2>err </dev/null || code=$?
  if [ $code = 0 ]; then
    trained=$((trained + 1))
  elif [ $code -ge 124 ]; then
    problem="$problem $limit KiB: exit $code"
  elif ! [ -s err ]; then
    problem="$problem $limit KiB: exit $code without a word"
  fi
  ! grep -q 'matrix library wants 256 MiB' err || blas=$((blas + 1))
done
[ $trained -gt 0 ] || problem="$problem it never trained"
verdict 'a limit is kept, or there is a message' "$problem"
verdict 'the matrix library says what it wants' "$([ $blas -gt 0 ] || echo 'at no limit')"
exit $failed
