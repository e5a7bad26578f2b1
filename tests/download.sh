#!/bin/sh
# download, against a server on this machine that behaves, and misbehaves.
tailor=${TAILOR:-./tailor}
here=$(cd "${TESTS_DIR:-$(dirname "$0")}" && pwd)
export TAILOR_DATASETS="${DATASETS_DIR:-$here/../datasets}"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
work=$(mktemp -d) || exit 99
server=
trap '[ -z "$server" ] || kill $server 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
"$tailor" --no-init -c status 2>/dev/null | grep -q 'built without' && { echo "1..0 # SKIP built without libcurl or libarchive"; exit 0; }
export XDG_CONFIG_HOME="$work/config" XDG_CACHE_HOME="$work/cache"
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
mkdir -p config/tailor served

# ---- what the server has ----

printf 'user,item,rating\n' >served/log.csv
awk 'BEGIN { for (i = 0; i < 20000; i++) print "u" i % 700 ",i" i % 300 "," i % 5 + 1 }' >>served/log.csv
python3 - <<'PY'
import io, tarfile, warnings, zipfile
warnings.simplefilter("ignore")  # of a name that comes twice
log = open("served/log.csv", "rb").read()
def packed(name, entries):
    with zipfile.ZipFile("served/" + name, "w", zipfile.ZIP_DEFLATED) as z:
        for path, data in entries:
            z.writestr(path, data)
packed("good.zip", [("set/", b""), ("set/log.csv", log), ("set/items.csv", b"item,title\ni1,One\n"), ("__MACOSX/x", b"")])
packed("dots.zip", [("log.csv", log), ("../../escaped", b"x")])
packed("absolute.zip", [("/tmp/escaped", b"x")])
packed("bomb.zip", [("log.csv", b"0" * (8 << 20))])
packed("twice.zip", [("log.csv", log), ("log.csv", b"x")])
packed("empty.zip", [])
packed("control.zip", [("a\x1b[2J.csv", b"x")])
whole = open("served/good.zip", "rb").read()
open("served/broken.zip", "wb").write(whole[:len(whole) // 2])
open("served/flipped.zip", "wb").write(whole[:200] + bytes(b ^ 0xff for b in whole[200:260]) + whole[260:])
def tarred(name, mode, add):
    with tarfile.open("served/" + name, mode) as t:
        add(t)
def entry(t, name, kind=None, data=b"", link=""):
    i = tarfile.TarInfo(name)
    i.size = len(data)
    if kind: i.type = kind
    i.linkname = link
    t.addfile(i, io.BytesIO(data))
tarred("good.tar.gz", "w:gz", lambda t: entry(t, "log.csv", data=log))
tarred("link.tar", "w", lambda t: (entry(t, "log.csv", tarfile.SYMTYPE, link="/etc/passwd")))
tarred("hard.tar", "w", lambda t: (entry(t, "a", data=b"x"), entry(t, "log.csv", tarfile.LNKTYPE, link="../../x")))
tarred("through.tar", "w", lambda t: (entry(t, "d", tarfile.SYMTYPE, link="/tmp"), entry(t, "d/escaped", data=b"x")))
tarred("pipe.tar", "w", lambda t: entry(t, "log.csv", tarfile.FIFOTYPE))
PY
python3 "$here/http_server.py" served port log >/dev/null 2>&1 &
server=$!
i=0
while [ ! -s port ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
at=http://127.0.0.1:$(cat port)
sum=$(sha256sum served/log.csv | cut -d ' ' -f 1)
zipsum=$(sha256sum served/good.zip | cut -d ' ' -f 1)
zipmd5=$(md5sum served/good.zip | cut -d ' ' -f 1)
bytes=$(wc -c <served/log.csv)
wrong=$(printf '%064d' 0)

# ---- the user's own catalogue ----

# entry NAME URL LOAD [LINE]...
entry() {
  printf '[%s]\nurl = %s\n' "$1" "$2"
  load=$3
  shift 3
  for line in "$@"; do printf '%s\n' "$line"; done
  printf 'load = %s\n' "$load"
}
own=config/tailor/catalogue.txt
{
  entry plain "$at/plain/log.csv" log.csv "sha256 = $sum" "bytes = $bytes" 'licence = free' 'about = a log'
  entry norange "$at/norange/log.csv" log.csv "sha256 = $sum"
  entry zip "$at/plain/good.zip" set/log.csv "sha256 = $zipsum" 'items_from = set/items.csv'
  entry md5 "$at/plain/good.zip" set/log.csv "md5 = $zipmd5"
  entry badmd5 "$at/plain/good.zip" set/log.csv 'md5 = 00000000000000000000000000000000'
  entry tar "$at/plain/good.tar.gz" log.csv
  entry two "$at/plain/log.csv" log.csv "url = $at/plain/good.zap"
  entry halved "$at/plain/good.zip" set/log.csv 'items_from = set/nothere.csv id=item'
  entry missing "$at/plain/nothere.csv" nothere.csv
  entry short "$at/short/log.csv" log.csv
  entry cut "$at/cut/log.csv" log.csv
  entry changed "$at/changed/log.csv" log.csv
  entry wrongsum "$at/plain/log.csv" log.csv "sha256 = $wrong"
  entry small "$at/plain/log.csv" log.csv 'bytes = 1000'
  entry large "$at/plain/log.csv" log.csv "bytes = $((bytes + 1))"
  entry endless "$at/endless/log.csv" log.csv
  entry tofile "$at/to/file/etc/passwd" passwd
  entry toftp "$at/to/ftp/127.0.0.1/passwd" passwd
  entry loop "$at/loop" loop
  entry slow "$at/slow/log.csv" log.csv "sha256 = $sum"
  entry nobody http://127.0.0.1:1/log.csv log.csv
  entry faraway http://example.invalid/log.csv log.csv
  for bad in dots absolute bomb twice empty control broken flipped; do entry $bad "$at/plain/$bad.zip" log.csv; done
  for bad in link hard through pipe; do entry $bad "$at/plain/$bad.tar" log.csv; done
  printf '[hand]\nfile = archive.zip\npage = https://example.invalid/page\nload = set/log.csv\n'
} | sed '/good.zap/d' >$own

echo 1..52
failed=0
i=0
# is WHAT STATUS: `ok` when STATUS is 0
is() {
  i=$((i + 1))
  if [ "$2" = 0 ]; then
    echo "ok $i - $1"
  else
    failed=1
    echo "not ok $i - $1"
    { cat out err; tail -n 3 log; } 2>/dev/null | cut -c 1-300 | sed 's/^/# /'
  fi
}
# get ARGUMENTS of download: its exit code; what it printed is in out and err
get() {
  timeout 60 "$tailor" --no-init --output json -c "download $*" >out 2>err </dev/null
}
# refused NAME WORD...: download fails, standard error holds the words, and nothing half-done is shown as whole
refused() {
  name=$1
  shift
  get "$name limit=0.005"
  code=$?
  bad=
  [ $code = 3 ] || bad="exit code $code"
  for word in "$@"; do grep -qiF -e "$word" err || bad="$bad; nothing about \"$word\""; done
  [ -e "cache/tailor/$name" ] && bad="$bad; it is in the cache"
  [ -z "$bad" ]
  is "$name: $*$bad" $?
}

# ---- what works ----

get plain && grep -q '"events":20000' out && cmp -s served/log.csv cache/tailor/plain/log.csv
is 'a file with a checksum' $?
[ "$(grep -c . log)" = 1 ] && [ ! -e cache/tailor/.fetching/plain ] && [ "$(stat -c %a cache/tailor/plain/log.csv)" = 600 ]
is 'one request, nothing left over, private' $?
get plain && [ "$(grep -c . log)" = 1 ]
is 'what is here is not fetched again' $?
get plain again=yes && [ "$(grep -c . log)" = 2 ]
is 'again=yes fetches it again' $?
get zip as z && grep -q '"dataset":"z"' out && grep -q '"title"' out && [ ! -e cache/tailor/zip/__MACOSX ]
is 'a zip, with its items' $?
get md5 && grep -q 'checksum is right' err
is 'an MD5 where nothing better is published' $?
refused badmd5 'wrong checksum' md5
get tar && grep -q "no checksum is published" err && grep -q "sha256 $(sha256sum served/good.tar.gz | cut -d ' ' -f 1)" cache/tailor/tar/.origin
is 'a tar.gz, whose own checksum is recorded' $?

get halved
[ $? = 3 ] && grep -q 'nothere.csv: No such file' err && grep -q 'the events are loaded as halved; .*load items' err
is 'a table that is missing beside the events' $?

# ---- resuming ----

refused short 'broke off' 'go'
part=$(wc -c <cache/tailor/.fetching/short/log.csv.part)
[ "$part" -gt 0 ] && [ "$part" -lt "$bytes" ]
is 'the part of a broken transfer stays' $?
get cut
get cut && cmp -s served/log.csv cache/tailor/cut/log.csv && grep -q 'were here already' err && tail -n 1 log | grep -q 'range=bytes=[1-9].*if-range="'
is 'the second attempt goes on where the first ended' $?
get changed
get changed && cmp -s served/log.csv cache/tailor/changed/log.csv && ! grep -q 'were here already' err
is 'a file that changed meanwhile is begun anew' $?
mkdir -p cache/tailor/.fetching/norange
head -c 1000 served/log.csv >cache/tailor/.fetching/norange/log.csv.part
printf '%s\n"tag"\n' "$at/norange/log.csv" >cache/tailor/.fetching/norange/log.csv.from
get norange && cmp -s served/log.csv cache/tailor/norange/log.csv
is 'a server without ranges sends all of it again' $?
mkdir -p cache/tailor/.fetching/cut2
entry cut2 "$at/plain/log.csv" log.csv "sha256 = $sum" >>$own
cat served/log.csv served/log.csv >cache/tailor/.fetching/cut2/log.csv.part
printf '%s\n"%s"\n' "$at/plain/log.csv" "$(md5sum served/log.csv | cut -d ' ' -f 1)" >cache/tailor/.fetching/cut2/log.csv.from
get cut2 && cmp -s served/log.csv cache/tailor/cut2/log.csv
is 'a part that is longer than the file is begun anew' $?

timeout -s KILL 2 "$tailor" --no-init -c 'download slow' >out 2>err </dev/null
[ "$(wc -c <cache/tailor/.fetching/slow/log.csv.part)" -ge 65536 ] && [ ! -e cache/tailor/slow ]
is 'kill -9 leaves the part' $?
sed -i "s|$at/slow/log.csv|$at/plain/log.csv|" $own cache/tailor/.fetching/slow/log.csv.from
get slow && cmp -s served/log.csv cache/tailor/slow/log.csv && grep -q 'were here already' err
is 'and the next attempt goes on' $?

entry cancel "$at/slow/log.csv" log.csv >>$own
"$tailor" --no-init -c 'download cancel' >out 2>err </dev/null &
pid=$!
n=0
while [ ! -s cache/tailor/.fetching/cancel/log.csv.part ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
kill -INT $pid
n=0
while kill -0 $pid 2>/dev/null && [ $n -lt 20 ]; do sleep 0.1; n=$((n + 1)); done
wait $pid
[ $? = 130 ] && [ $n -lt 10 ] && [ -s cache/tailor/.fetching/cancel/log.csv.part ]
is 'a cancel is heard within a second, and the part stays' $?

# ---- what does not ----

refused missing 404
refused wrongsum 'wrong checksum' "$wrong" removed
[ ! -e cache/tailor/.fetching/wrongsum/log.csv.part ]
is 'of a wrong checksum nothing is kept' $?
refused small 'larger than'
refused large 'should have'
refused endless 'larger than 5'
[ ! -e cache/tailor/.fetching/endless/log.csv.part ]
is 'nor of what has no end' $?
refused tofile 'https'
refused toftp 'https'
refused loop 'redirected more than 5 times'
refused nobody 'cannot be reached' 'by hand' 'from='
refused faraway 'only https'
refused dots '..' 'not unpacked'
refused absolute 'absolute'
refused bomb 'too large'
refused twice 'two entries'
refused empty 'empty'
refused control 'control character'
refused broken 'damaged'
refused flipped 'damaged'
refused link 'neither a file nor a folder'
refused hard 'neither a file nor a folder'
refused through 'neither a file nor a folder'
refused pipe 'neither a file nor a folder'
[ ! -e escaped ] && [ ! -e cache/escaped ] && [ ! -e /tmp/escaped ] && ! find cache -name '*.unpacking' | grep -q .
is 'nothing was written outside, nothing half-unpacked stays' $?
[ ! -e cache/tailor/.fetching/broken/broken.zip ]
is 'an archive that is no good is not kept' $?

# ---- by hand ----

refused hand 'cannot be fetched' 'archive.zip' 'example.invalid/page'
get hand from=served/good.zip && grep -q '"events":20000' out
is 'a file that was fetched by hand' $?
get plain from=served/log.csv as byhand && grep -q '"dataset":"byhand"' out
is 'one that is no archive is read where it lies' $?
cp served/good.tar.gz other.zip
get zip from=other.zip as w
[ $? = 3 ] && grep -q 'wrong checksum' err && grep -q 'another version' err
is 'another file by hand is refused' $?

# ---- entries of our catalogue, as they stand, on the real sets served here ----

data=${TAILOR_DATA:-$here/../../shared/data}
# served_here NAME FILE WANTED...: the entry NAME, its urls turned to this server; what comes out holds all that is WANTED
served_here() {
  name=$1 file=$2
  shift 2
  if [ ! -e "$data/$file" ]; then
    i=$((i + 1))
    echo "ok $i - $name # SKIP no real data (TAILOR_DATA)"
    return
  fi
  sed -n "/^\\[$name\\]/,/^\$/p" "$TAILOR_DATASETS/catalogue.txt" | sed "s|^\\(url *= \\).*/|\\1$at/plain/|" >entry
  # an archive made here is not the publisher's to the byte
  case $file in *.*) cat entry ;; *) grep -v '^bytes\|^sha256\|^md5' entry ;; esac >>$own
  get "$name"
  code=$?
  for word in "$@"; do grep -q "$word" out || code="nothing about $word"; done
  [ "$code" = 0 ]
  is "$name by its own entry" $?
}
[ -d "$data/ml-100k" ] && python3 -c 'import shutil, sys; shutil.make_archive("served/ml-100k", "zip", sys.argv[1], "ml-100k")' "$data"
[ -d "$data/obd/random/men" ] && cp "$data"/obd/random/men/*.csv served/
served_here ml-100k ml-100k '"reader":"movielens-100k","users":943,"items":1682,"events":100000'
served_here open-bandit-men obd/random/men/men.csv '"reader":"open-bandit"' '"items":34,"events":10000' '"rows_rejected":0'

# ---- the catalogue ----

"$tailor" --no-init --output json -c datasets >out 2>err </dev/null && grep -q '"known":\[{"dataset":"ml-100k"' out && grep -q '"dataset":"plain","users":null,"items":null,"events":null,"download":'"$bytes"',"how":"is here","about":"a log","licence":"free"' out
is 'datasets lists ours and the own entries' $?
printf '[odd\nload = x\n' >$own
"$tailor" --no-init -c datasets >out 2>err </dev/null
[ $? = 3 ] && grep -q 'catalogue.txt:1' err
is 'a mistake in the own catalogue is named with its line' $?
exit $failed
