# What tests of written files share: a folder to work in, the program, one TAP line a check. Read before anything changes the folder.
tailor=${TAILOR:-./tailor}
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
datasets=$(cd "${DATASETS_DIR:-$(dirname "$0")/../datasets}" && pwd)
export TAILOR_DATASETS="$datasets"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failed=0
i=0

result() { # what, 0 when fine
  i=$((i + 1))
  if [ "$2" = 0 ]; then echo "ok $i - $1"; else
    failed=1
    echo "not ok $i - $1"
    sed 's/^/# /' log 2>/dev/null
  fi
}
skip() { # what, why
  i=$((i + 1))
  echo "ok $i - $1 # SKIP $2"
}
run() { "$tailor" --no-init "$@" >log 2>&1 </dev/null; }
