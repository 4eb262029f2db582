#!/bin/sh
# Runs inside a booted Debian 12, as root: a new administrator's first hour, and what only a real
# systemd can show. boot.sh FOLDER: holds acmsensor.deb, new.deb (a higher version), etc (what the
# administrator writes into /etc/acmsensor), tell-people (a program for alerts), arn (a certificate
# that is worth an emergency) and scrape, which our host answers with scraped. What happened is
# written to FOLDER/log.
set -eu
folder=$1
exec >>"$folder/log" 2>&1
touch "$folder/booted"
trap 'echo "ended with $?"; journalctl --no-pager -u acmsensord | tail -n 100; systemctl poweroff --no-block' EXIT
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

unit=acmsensord.service
say() { echo "== $*"; }
fail() { echo "NOT SO: $*"; exit 1; }
property() { systemctl show --value -p "$1" "$unit"; }
# Until a command succeeds, at most 30 s.
await() {
	i=0
	until "$@" >/dev/null 2>&1; do
		i=$((i + 1))
		[ "$i" -lt 150 ] || fail "in 30 s: $*"
		sleep 0.2
	done
}
apt() { apt-get -y -q --no-install-recommends "$@"; }
is_idle() { property StatusText | grep -q '^idle; next cycle of prod at 20'; }
has_restarted() { [ "$(property NRestarts)" -gt 0 ] && [ "$(property ActiveState)" = active ]; }
logged() { journalctl --no-pager -u "$unit" | grep -q "$1"; }
is_active() { [ "$(property ActiveState)" = active ]; }
has_told() { COLUMNS=200 acmsensor status | grep -q "Channel $1 .*, last message "; }

# What comes after the second boot.
end_hour() {
	say "booted again: it has come back by itself, with what it knows"
	await is_active
	logged "open vault key=/run/credentials/$unit/acmsensor.vault-key" || fail "another key"
	acmsensor -o json certs | cmp - "$folder/certificates" || fail "other certificates"
	acmsensor -o json alerts --all | cmp - "$folder/alerts" || fail "other alerts"
	acmsensor events | grep store_restored && fail "another epoch"

	say "an upgrade does not start what was stopped"
	systemctl stop "$unit"
	dpkg -i "$folder/new.deb"
	[ "$(property ActiveState)" = inactive ] || fail "it was started"
	systemctl start "$unit"

	say "removed: stopped, and what it knows stays"
	pid=$(property MainPID)
	apt remove acmsensor
	[ ! -e "/proc/$pid" ] || fail "it runs"
	[ -e /var/lib/acmsensor/store.mdb ] || fail "no data any more"
	[ -e /etc/acmsensor/conf.d/prod.conf ] || fail "no configuration any more"

	say "purged: nothing is left"
	apt purge acmsensor
	rm /usr/local/bin/tell-people /root/bundle.txt
	find /etc/systemd /var/lib/systemd /run/acmsensor /var/lib/acmsensor /etc/acmsensor -name '*acmsensor*' 2>/dev/null | grep . && fail "left behind"
	getent passwd acmsensor && fail "the user is there"
	say "all done"
}
if [ -e "$folder/switched-off" ]; then
	end_hour
	exit
fi

# A container in a container may not be allowed what any hardened unit asks for.
systemd-run --quiet --wait -p ProtectSystem=strict -p PrivateTmp=yes -p PrivateDevices=yes \
	-p ProtectProc=invisible -p RestrictNamespaces=yes -p SystemCallFilter=@system-service \
	-p MemoryDenyWriteExecute=yes -p WatchdogSec=60 true ||
	{ touch "$folder/unable"; fail "no unit can be hardened here"; }

say "installed: neither enabled nor started, and what comes next is said"
apt update
apt install "$folder/acmsensor.deb" | tee "$folder/told"
grep -q "acmsensor is installed and not started yet" "$folder/told" || fail "nothing is said"
[ "$(property ActiveState)" = inactive ] || fail "it runs"
systemctl is-enabled "$unit" | grep -x disabled || fail "it is enabled"

id -u acmsensor >"$folder/user"

say "configured, as the manual says"
cp -r "$folder/etc/." /etc/acmsensor
chgrp acmsensor /etc/acmsensor/chat.url /etc/acmsensor/mail.password
chmod 640 /etc/acmsensor/chat.url /etc/acmsensor/mail.password
install -m 755 "$folder/tell-people" /usr/local/bin/tell-people
acmsensord --check | grep 'correct, 1 connector' || fail "it is not correct"

say "started: ready, hardened, with a status"
systemctl enable --now "$unit"
[ "$(property ActiveState)" = active ] || fail "it does not run"
await is_idle
acmsensor scan --wait
acmsensor -o json certs >"$folder/certificates"
[ "$(stat -c '%U %G %a' /run/acmsensor)" = "acmsensor acmsensor 750" ] || fail "socket's folder"
[ "$(stat -c '%U %G %a' /var/lib/acmsensor)" = "acmsensor acmsensor 700" ] || fail "data folder"
pid=$(property MainPID)
grep -q "^CapBnd:.0000000000000000$" "/proc/$pid/status" || fail "capabilities"
grep -q "^NoNewPrivs:.1$" "/proc/$pid/status" || fail "privileges"
grep -q "^Seccomp:.2$" "/proc/$pid/status" || fail "system calls"

say "an emergency is told on a webhook, by mail and by a program, under the unit's hardening"
for channel in chat oncall people; do
	await has_told "$channel"
	acmsensor alerts test "$channel"
done
acmsensor alerts | grep www.example.com || fail "it is not listed"
await grep -q '"emergency"' /var/lib/acmsensor/told.json
grep -q "$(cat "$folder/arn")" /var/lib/acmsensor/told.json || fail "told of another one"
await sh -c 'journalctl --no-pager -t tell-people | grep -q "class=emergency count=[1-9]"'
journalctl --no-pager -t tell-people | grep -q "user=acmsensor wrote=no aws=no" || fail "it may too much"
logged "Operation not permitted" && fail "something is forbidden that it needs"

say "it is acknowledged"
acmsensor alerts ack "$(cat "$folder/arn")" --note "ordered from the authority"
acmsensor -o json alerts --all >"$folder/alerts"
grep -q "ordered from the authority" "$folder/alerts" || fail "no note"

say "a Prometheus scrapes it"
touch "$folder/scrape"
await test -e "$folder/scraped"

say "a support bundle holds what is needed and no secret"
acmsensor support-bundle /root/bundle.txt
for part in "Channel oncall" "=== alerts" www.example.com acmsensor_alert_channel_failing; do
	grep -q "$part" /root/bundle.txt || fail "without $part"
done
for secret in $(cat /etc/acmsensor/chat.url /etc/acmsensor/mail.password) $(sed 's/^[^=]*=//' /etc/acmsensor/environment); do
	! grep -qF "$secret" /root/bundle.txt || fail "with a secret"
done

say "reload: done, and a wrong configuration is refused"
systemctl reload "$unit"
await logged 'reload configuration result=done'
echo 'nonsense = yes' >>/etc/acmsensor/conf.d/prod.conf
systemctl reload "$unit"
await logged 'reload configuration result=refused'
[ "$(property MainPID)" = "$pid" ] || fail "another process"

say "a wrong configuration is not started and not tried again"
systemctl restart "$unit" && fail "it was started"
logged 'prod.conf:.*nonsense' || fail "no place is named"
sed -i '/nonsense/d' /etc/acmsensor/conf.d/prod.conf
systemctl reset-failed "$unit"
systemctl start "$unit"

say "the vault's key becomes a credential"
[ -s /var/lib/acmsensor/vault/master.key ] || fail "no key of its own"
acmsensor vault init | tee "$folder/vault"
grep -q "shred -u /var/lib/acmsensor/vault/master.key" "$folder/vault" || fail "not taken over"
systemctl restart "$unit"
shred -u /var/lib/acmsensor/vault/master.key
systemctl restart "$unit"
logged "open vault key=/run/credentials/$unit/acmsensor.vault-key" || fail "another key"
[ ! -e /var/lib/acmsensor/vault/master.key ] || fail "a key in data_dir"
acmsensor csr --account 1 --domain www.example.com >/dev/null 2>&1 || acmsensor csr --domain www.example.com >/dev/null
ls /var/lib/acmsensor/vault/epoch-* || fail "nothing was sealed"
systemctl restart "$unit"
[ "$(property ActiveState)" = active ] || fail "what was sealed is not opened"

say "a loop that stalls is noticed"
mkdir -p "/run/systemd/system/$unit.d"
printf '[Service]\nWatchdogSec=2\n' >"/run/systemd/system/$unit.d/watchdog.conf"
systemctl daemon-reload
systemctl restart "$unit"
sleep 5
[ "$(property NRestarts)" = 0 ] || fail "it was restarted without a stall"
kill -STOP "$(property MainPID)"
await has_restarted
logged "Watchdog timeout" || fail "for another reason"
rm "/run/systemd/system/$unit.d/watchdog.conf"
systemctl daemon-reload

say "an upgrade restarts it and keeps what it knows"
systemctl restart "$unit"
pid=$(property MainPID)
version=$(acmsensord --version)
apt install "$folder/new.deb"
[ "$(acmsensord --version)" != "$version" ] || fail "the same version"
[ "$(property ActiveState)" = active ] || fail "not restarted"
[ "$(property MainPID)" != "$pid" ] || fail "the old process runs"
systemctl is-enabled "$unit" || fail "not enabled any more"
acmsensor -o json certs | cmp - "$folder/certificates" || fail "other certificates"
acmsensor -o json alerts --all | cmp - "$folder/alerts" || fail "other alerts"

say "the host is switched off, to be booted again"
touch "$folder/switched-off"
trap - EXIT
systemctl poweroff --no-block
