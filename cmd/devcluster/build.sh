#!/usr/bin/env bash
# Builds bin/devcluster, or another file: build.sh [FILE]. What it built is kept in the user's cache
# under a hash of all that went into it, so that each version is built once on a machine. The flags
# never change: with others, Go would compile Kubernetes' 2,800 packages once more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$(realpath -m "${1:-$here/../../bin/devcluster}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mergegate
kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print $2; exit }' "$here/go.mod")
export CGO_ENABLED=0 GOWORK=off GOFLAGS=

cd "$here"
hash=$({ go version; go env GOOS GOARCH; cat go.mod go.sum build.sh ./*.go; } | sha256sum | cut -c1-16)
built=$cache/devcluster-$hash
mkdir -p "$cache" "$(dirname "$target")"

exec 9>"$cache/devcluster.lock"
if ! flock --nonblock 9; then
  echo "devcluster: another build is under way, waiting for it" >&2
  flock 9
fi
if [[ ! -x $built ]]; then
  echo "devcluster: building Kubernetes $kubernetes, once per version: 5 to 12 minutes the first time, seconds when Go has it in its cache" >&2
  SECONDS=0
  go build -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$kubernetes" -o "$built.new" .
  mv "$built.new" "$built"
  echo "devcluster: built in $SECONDS s" >&2
fi
touch "$built"
find "$cache" -maxdepth 1 -name 'devcluster-*' -mtime +14 -delete # versions that nobody has used lately

if [[ ! $built -ef $target ]] && ! cmp -s "$built" "$target"; then
  ln -f "$built" "$target.new" 2>/dev/null || cp "$built" "$target.new"
  mv "$target.new" "$target"
fi
