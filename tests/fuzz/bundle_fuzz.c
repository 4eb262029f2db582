/* Bundles: the first byte says what the rest is: a certificate file, a chain with a leaf, a key with
 * its certificate, a PKCS#12 file; with or without a passphrase. */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "delivery/bundle.h"

enum { INPUT_MAX = 16384, NOW_S = 1795000000 };
enum input { CERTIFICATE, CHAIN, KEY, PKCS12, INPUTS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct secret secret = SECRET_INIT, passphrase = SECRET_INIT;
	struct bundle bundle = {.chain_count = 0};
	if (size < 2 || size > INPUT_MAX)
		return 0;
	const char *text = (const char *)data + 1;
	size_t len = size - 1;
	struct bundle_input input = {.now_s = NOW_S, .keep_root = (data[0] & 0x40) != 0};
	enum input kind = (enum input)(data[0] % INPUTS);
	secret_set(&secret, text, len);
	secret_set(&passphrase, "secret", 6);
	if ((data[0] & 0x80) != 0)
		input.passphrase = &passphrase;
	if (kind == PKCS12) {
		input.pkcs12 = &secret;
	} else {
		input.certificate = text;
		input.certificate_len = len;
	}
	if (kind == CHAIN) {
		input.chain = text;
		input.chain_len = len;
	}
	if (kind == KEY)
		input.key = &secret;
	if (bundle_read(&input, kind == KEY, &bundle, &err) == 0)
		bundle_clear(&bundle);
	secret_clear(&secret);
	secret_clear(&passphrase);
	return 0;
}
