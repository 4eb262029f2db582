#!/bin/sh
# make demo: a simulated AWS organization, the real daemon over TLS, a full cycle, the CLI's views.
# Needs no AWS, no root, no fixed port; cleans up after itself. KEEP=1 leaves it running.
#   demo.sh BUILD
set -eu

build=$(cd "$1" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/acmsensor-demo.XXXXXX")
socket=$dir/control.sock
sim_pid=
daemon_pid=

stop() {
	[ -z "$daemon_pid" ] || kill "$daemon_pid" 2>/dev/null || true
	[ -z "$sim_pid" ] || kill "$sim_pid" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

say() {
	printf '\n\033[1m%s\033[0m\n' "$1" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

# Shows a command as one would type it, then runs it.
run() {
	say "\$ $1"
	shift
	"$build/acmsensor" --socket "$socket" "$@" || status=$?
	case ${status:-0} in 0 | 4) ;; *) exit 1 ;; esac
}

wait_for() {
	tries=0
	while [ ! -e "$1" ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then
			echo "demo: $2 did not start; its log:" >&2
			cat "$3" >&2
			exit 1
		fi
		sleep 0.1
	done
}

# In the background nothing keeps standard output: `make demo KEEP=1 | tee log` is to end.
say "A simulated organization: 40 accounts in nested units, 4 regions, behind TLS"
"$build/awssim" --accounts 40 --units 9 --unit-depth 3 --mixed --certs-per-region 5 \
	--regions us-east-1,eu-central-1,eu-west-1,ap-east-1 --awkward-pages --latency-ms 20 --seed 7 \
	--keys-dir tests/data/keys --listen-proxy 127.0.0.1:0 --control 127.0.0.1:0 \
	--ready-file "$dir/awssim.json" --quiet >"$dir/awssim.log" 2>&1 &
sim_pid=$!
wait_for "$dir/awssim.json" awssim "$dir/awssim.log"
field() { jq -r "$1" "$dir/awssim.json"; }

cat >"$dir/acmsensor.conf" <<CONF
[sensor]
name = demo
data_dir = $dir/data
control_socket = $socket

[connector prod]
scope = organization
region = us-east-1
role_name = $(field .role_name)
interval = 1h
import = all
proxy = $(field .proxy_url)
ca_bundle = $(field .ca_file)
CONF
cat "$dir/acmsensor.conf"

say "The daemon: it reaches the real AWS host names through a proxy that plays AWS"
AWS_ACCESS_KEY_ID=$(field .access_key_id)
AWS_SECRET_ACCESS_KEY=$(field .secret_access_key)
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_ENDPOINT_URL 2>/dev/null || true
"$build/acmsensord" -c "$dir/acmsensor.conf" --check
"$build/acmsensord" -c "$dir/acmsensor.conf" >"$dir/acmsensord.log" 2>&1 &
daemon_pid=$!
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
wait_for "$socket" acmsensord "$dir/acmsensord.log"

run "acmsensor scan --wait" scan --wait
run "acmsensor status" status
run "acmsensor accounts" accounts
run "acmsensor certs --expires 14d --in-use yes" certs --expires 14d --in-use yes
arn=$("$build/acmsensor" --socket "$socket" -o json certs --in-use yes --type IMPORTED --sort expires |
	jq -r '[.certificates[] | select(.expired | not)][0].arn')
run "acmsensor show $arn" show "$arn"

. tests/demo/delivery.sh

if [ "${KEEP:-0}" = 1 ]; then
	trap - EXIT
	say "Still running. Look around:"
	cat <<TXT
  alias acmsensor='$build/acmsensor --socket $socket'
  acmsensor certs --domain www.example.com      every certificate that covers a name
  acmsensor -o json certs | jq .                the inventory for programs
  acmsensor events --follow                     what happens from now on
  curl --unix-socket $socket http://localhost/v1/status
  curl -X POST $(field .control_url)/mutate -d '{"op": "renew", "count": 3}'; acmsensor scan --wait
Logs and data: $dir
Stop it:  kill $daemon_pid $sim_pid; rm -r $dir
TXT
else
	say "Done; everything is stopped and removed. To keep it running and look around: make demo KEEP=1"
fi
