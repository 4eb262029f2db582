#!/bin/sh
# Runs inside a booted Debian 12, as root, with the package installed and configured: what only a
# real systemd can show. boot.sh FOLDER: holds new.deb; what happened is written to FOLDER/log.
set -eu
folder=$1
exec >"$folder/log" 2>&1
touch "$folder/booted"
trap 'echo "ended with $?"; journalctl --no-pager -u acmsensord | tail -n 100; systemctl poweroff --no-block' EXIT

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
is_idle() { property StatusText | grep -q '^idle; next cycle of prod at 20'; }
has_restarted() { [ "$(property NRestarts)" -gt 0 ] && [ "$(property ActiveState)" = active ]; }
logged() { journalctl --no-pager -u "$unit" | grep -q "$1"; }

say "installed: neither enabled nor started"
[ "$(property ActiveState)" = inactive ] || fail "it runs"
systemctl is-enabled "$unit" | grep -x disabled || fail "it is enabled"

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
logged "Operation not permitted" && fail "something is forbidden that it needs"

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
dpkg -i "$folder/new.deb"
[ "$(property ActiveState)" = active ] || fail "not restarted"
[ "$(property MainPID)" != "$pid" ] || fail "the old process runs"
systemctl is-enabled "$unit" || fail "not enabled any more"
acmsensor -o json certs | cmp - "$folder/certificates" || fail "other certificates"

say "an upgrade does not start what was stopped"
systemctl stop "$unit"
dpkg -i "$folder/new.deb"
[ "$(property ActiveState)" = inactive ] || fail "it was started"
systemctl start "$unit"

say "removed: stopped; purged: nothing in systemd"
dpkg -r acmsensor
! pgrep -x acmsensord || fail "it runs"
dpkg -P acmsensor
find /etc/systemd /var/lib/systemd /run/acmsensor /var/lib/acmsensor /etc/acmsensor -name '*acmsensor*' 2>/dev/null | grep . && fail "left behind"
say "all done"
