# The delivery part of make demo; sourced by demo.sh, whose run, say and field it uses.
# A certificate is imported, replaced under the same ARN with a TLS handshake as the proof, and
# brought back.

control() {
	/usr/bin/python3 - "$(field .control_url)$1" "$2" <<-'PY'
		import sys, urllib.request
		opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		print(opener.open(urllib.request.Request(sys.argv[1], data=sys.argv[2].encode())).read().decode())
	PY
}

make_certificates() (
	cd "$1"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
		-subj "/CN=Demo CA" -days 400 -addext "keyUsage=critical,keyCertSign" 2>/dev/null
	printf 'subjectAltName=DNS:shop.example.com,DNS:www.shop.example.com\nextendedKeyUsage=serverAuth\n' >old.ext
	printf 'subjectAltName=DNS:shop.example.com,DNS:www.shop.example.com,DNS:api.shop.example.com\nextendedKeyUsage=serverAuth\n' >new.ext
	for name in old new; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" \
			-subj "/CN=shop.example.com" 2>/dev/null
		days=60
		[ "$name" = old ] || days=200
		openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$days" \
			-extfile "$name.ext" -out "$name.pem" 2>/dev/null
	done
)

ask() {
	"$build/acmsensor" --socket "$socket" -o json "$@"
}

certificates=$dir/certificates
mkdir "$certificates"
make_certificates "$certificates"
account=$(field .management_account_id)
place="--connector prod --account $account --region eu-central-1"

say "Delivery: a first import, with tags that lead back to the ARN"
# shellcheck disable=SC2086 # words
run "acmsensor plan ... --cert old.pem --key old.key --chain ca.pem --tag team=shop" \
	plan $place --cert "$certificates/old.pem" --key "$certificates/old.key" --chain "$certificates/ca.pem" \
	--tag team=shop --certificate-id shop-1
run "acmsensor apply PLAN --wait" apply "$(ask plans | jq -r '.plans[0].id')" --wait
arn=$(ask jobs | jq -r '.jobs[0].arn')
port=$(control /bind "{\"arn\": \"$arn\", \"names\": [\"shop.example.com\"], \"delay_ms\": 500}" | jq .port)

say "A new certificate under the same ARN; a server that uses the ARN shows it: that is the proof"
# shellcheck disable=SC2086 # words
run "acmsensor plan ... --arn ARN --cert new.pem --key new.key --chain ca.pem --verify-host 127.0.0.1:$port" \
	plan $place --arn "$arn" --cert "$certificates/new.pem" --key "$certificates/new.key" \
	--chain "$certificates/ca.pem" --verify-host "127.0.0.1:$port"
plan=$(ask plans | jq -r '.plans[] | select(.state == "open").id')
run "acmsensor apply PLAN --wait" apply "$plan" --wait
delivered=$(ask jobs | jq -r --arg plan "$plan" '.jobs[] | select(.plan == $plan).id')

say "And back: the old certificate with its key, which this sensor kept sealed"
run "acmsensor rollback JOB --wait" rollback "$delivered" --wait
run "acmsensor jobs" jobs
