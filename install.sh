#!/usr/bin/env bash
# Installs Twinhub on this machine, or brings an installation up to this version.
# Thin on purpose: it sets up Python's part and hands over to `twinhub install`.
set -euo pipefail
umask 022

help() {
  cat <<'TEXT'
Usage: ./install.sh [OPTIONS]

Installs Twinhub and starts it: a container engine where none answers, the
workspace image, secrets, all processes. Run again it changes nothing, or
brings an existing installation up to this version.

Options:
  --data-dir DIR     Folder for everything: code, settings, secrets, people's files.
                     [default: /var/lib/twinhub; for others than root .twinhub in the current folder]
  --port N           Port that browsers use. [default: 8000]
  --address ADDR     Address of this machine to listen on. [default: 0.0.0.0,
                     which is all of them; 127.0.0.1 keeps other machines out]
  --domain NAME      Host name under which people reach the platform; in its address and
                     its certificate. [default: localhost]
  --tls KIND         Encryption. local: with an authority made on this machine, for a trial;
                     files: with a certificate of yours; acme: with one of Let's Encrypt, for
                     --domain on --port 443; off: plain HTTP. [default: off]
  --tls-certificate FILE, --tls-key FILE
                     With --tls files: the certificate with those between, and its key, as PEM.
  --acme-email ADDR  With --tls acme: where the authority writes about expiry.
  --name NAME        Name of this installation, when a machine has several; it cannot be
                     changed later. [default: twinhub]
  --admin NAME       Name of the first administrator. [default: admin]
  --ca-bundle FILE   PEM file of certificate authorities to trust, for networks whose
                     proxy inspects TLS. [default: those of this machine]
  --uninstall        Stop everything and remove what this script made. People's files,
                     accounts and settings stay.
  --purge            With --uninstall: delete those too. This cannot be undone.
  --yes              With --uninstall: do not ask.
  -h, --help         Show this text.

Options given once are kept in DIR/twinhub.yaml, where you change or remove them
again; `twinhub config example` shows every other setting. Needs Debian 12 or Ubuntu, with Python 3.11 or newer.

Exit codes: 0 done; 1 refused or failed, with the reason and the remedy; 2 wrong usage.
TEXT
}

fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
usage() { printf 'install.sh: %s See ./install.sh --help.\n' "$*" >&2; exit 2; }

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data_dir=${TWINHUB_DATA_DIR:-}
uninstall=
pass=()
while [ $# -gt 0 ]; do
  case $1 in
    -h|--help) help; exit 0 ;;
    --data-dir|--port|--address|--domain|--name|--admin|--ca-bundle|--tls|--tls-certificate|--tls-key|--acme-email)
      [ $# -ge 2 ] || usage "$1 needs a value."
      if [ "$1" = --data-dir ]; then data_dir=$2; else pass+=("$1" "$2"); fi
      shift 2 ;;
    --data-dir=*) data_dir=${1#*=}; shift ;;
    --port=*|--address=*|--domain=*|--name=*|--admin=*|--ca-bundle=*|--tls=*|--tls-certificate=*|--tls-key=*|--acme-email=*) pass+=("$1"); shift ;;
    --uninstall) uninstall=1; shift ;;
    --purge|--yes) pass+=("$1"); shift ;;
    *) usage "'$1' is not an option." ;;
  esac
done
if [ -z "$data_dir" ]; then
  if [ "$(id -u)" = 0 ]; then data_dir=/var/lib/twinhub; else data_dir=$PWD/.twinhub; fi
fi
data_dir=$(realpath -m -- "$data_dir")
app_dir=$data_dir/app

# Runs a step with its output in a log; shows how long it has taken every few seconds.
step() {
  local title=$1 log=$app_dir/install.log started=$SECONDS pid status=0
  shift
  printf '  …  %s\n' "$title"
  "$@" >>"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - started)) -ge "${next:=$((SECONDS - started + 5))}" ]; then
      printf '     still at it: %s, %s s so far\n' "$title" "$((SECONDS - started))"
      next=$((SECONDS - started + 5))
    fi
  done
  unset next
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    printf '  ✗  %s\n' "$title"
    tail -n 8 "$log" >&2
    return "$status"
  fi
  printf '  ✓  %s (%s s)\n' "$title" "$((SECONDS - started))"
}

# The newest suitable Python that accounts other than root can run too: the services do not run as root.
find_python() {
  local candidate
  for candidate in /usr/bin/python3 /usr/bin/python3.1[1-9] /usr/local/bin/python3 "$(command -v python3 || true)"; do
    [ -x "$candidate" ] || continue
    "$candidate" - <<'PYTHON' 2>/dev/null || continue
import os, pathlib, sys
real = pathlib.Path(os.path.realpath(sys.executable))
open_to_all = all(parent.stat().st_mode & 0o001 for parent in real.parents)
sys.exit(not (sys.version_info >= (3, 11) and (open_to_all or os.getuid() != 0)))
PYTHON
    printf '%s\n' "$candidate"
    return 0
  done
  return 1
}

apt_install() {
  [ "$(id -u)" = 0 ] || fail "'$*' is missing and only root can install it. Run: sudo apt-get install $*"
  command -v apt-get >/dev/null || fail "'$*' is missing and this machine has no apt-get. Install it by hand, then run ./install.sh again."
  step "Installing $*" env DEBIAN_FRONTEND=noninteractive sh -c \
    'apt-get update -q && apt-get install -y -q --no-install-recommends "$@"' sh "$@" \
    || fail "'$*' could not be installed with apt-get. Look at $app_dir/install.log, mend apt, then run ./install.sh again."
}

# A digest of all that this version consists of; the same digest means nothing has to be installed.
sources() {
  if git -C "$source_dir" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
    git -C "$source_dir" -c safe.directory='*' ls-files -z -co --exclude-standard
  else
    (cd "$source_dir" && find . \( -type f -o -type l \) -not -path './.venv*' -not -path '*/node_modules/*' -not -path './.git/*' -not -path './.twinhub/*' \
      -not -path './web/dist/*' -not -name '*.pyc' -print0)
  fi
}

# Without those that were deleted in the checkout and are still known to git; links, which examples share assets by, stay links.
present_sources() {
  sources | while IFS= read -r -d '' file; do if [ -f "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi; done
}

# A version with the same packages under the same Python, whose environment can be taken over.
same_packages() {
  local python=$1 src=$2 other
  for other in "$app_dir"/*/; do
    other=${other%/}
    if [ "$(cat "$other/complete" 2>/dev/null)" = "$("$python" -V)" ] \
      && cmp -s "$other/src/requirements/platform.lock" "$src/requirements/platform.lock"; then
      printf '%s\n' "$other"
      return 0
    fi
  done
  return 1
}

# Files are shared with the other environment; those that name its place are written anew, and packages are only ever replaced.
take_environment() {
  local python=$1 from=$2 to=$3
  [ ! -d "$from/src/web/dist" ] || cp -al "$from/src/web/dist" "$to/src/web/dist" || return
  cp -al "$from/venv" "$to/venv" && "$python" - "$from/venv" "$to/venv" <<'PYTHON'
import os, pathlib, sys
old, new = (os.fsencode(name) for name in sys.argv[1:])
target = pathlib.Path(sys.argv[2])
for file in (*(target / "bin").iterdir(), target / "pyvenv.cfg"):
    if file.is_symlink() or not file.is_file():
        continue
    content = file.read_bytes()
    if old in content and b"\0" not in content:
        part = file.with_name(f".{file.name}.part")
        part.write_bytes(content.replace(old, new))
        part.chmod(file.stat().st_mode)
        part.replace(file)
PYTHON
}

fetch_environment() {
  local python=$1 version=$2
  "$python" -m venv "$version/venv" || return
  "$version/venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
    --require-hashes -r "$version/src/requirements/platform.lock" || return
}

# Each line ends the function when it fails: bash ignores 'set -e' in what is tested with '||'.
install_code() {
  local python=$1 version=$2 other
  rm -rf "$version" && mkdir -p "$version/src" || return
  (cd "$source_dir" && present_sources | tar --null -cf - -T - ) | tar -xf - -C "$version/src" --no-same-owner || return
  if other=$(same_packages "$python" "$version/src"); then
    take_environment "$python" "$other" "$version" || return
  else
    fetch_environment "$python" "$version" || return
  fi
  "$version/venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation \
    -e "$version/src" || return
  "$version/venv/bin/python" -m compileall -q "$version/src" || true
  "$python" -V >"$version/complete"
}

main() {
  if [ -n "$uninstall" ]; then
    local command
    command=$(find "$app_dir" -maxdepth 4 -path '*/venv/bin/twinhub' 2>/dev/null | head -n 1)
    [ -n "$command" ] || fail "$data_dir holds no installation of Twinhub. Name its folder with --data-dir."
    exec "$command" --data-dir "$data_dir" uninstall "${pass[@]}"
  fi
  case " ${pass[*]-} " in *" --purge "*|*" --yes "*) usage "--purge and --yes go with --uninstall." ;; esac

  mkdir -p "$app_dir" 2>/dev/null || fail "$data_dir cannot be made. Run as root, or choose a folder of yours with --data-dir."
  chmod 0755 "$app_dir"
  local free_mb
  free_mb=$(df -Pm "$app_dir" | awk 'NR==2 {print $4}')
  [ "$free_mb" -ge 3000 ] || [ -e "$data_dir/secrets" ] || fail "The disk of $data_dir has $free_mb MB free; 3000 MB are needed. Make room, or choose a folder on another disk with --data-dir."

  local python
  python=$(find_python) || {
    apt_install python3
    python=$(find_python) || fail "No Python 3.11 or newer was found. Install one (Debian 12 and Ubuntu 24.04 have it), then run ./install.sh again."
  }
  "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv

  local digest version
  digest=$(cd "$source_dir" && { "$python" -V; present_sources | sort -z | tar --null --no-recursion --owner=0 --group=0 --mtime=@0 -cf - -T -; } | sha256sum | cut -c1-12)
  version=$app_dir/$digest
  if [ ! -e "$version/complete" ]; then
    : >"$app_dir/install.log"
    step "Python packages" install_code "$python" "$version" \
      || fail "Python's packages could not be installed. All output is in $app_dir/install.log; check the network, then run ./install.sh again."
  fi
  exec "$version/venv/bin/twinhub" --data-dir "$data_dir" install "${pass[@]}"
}

main
