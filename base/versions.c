#include "base/versions.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <gnu/libc-version.h>
#include <jansson.h>
#include <libxml/parser.h>
#include <openssl/crypto.h>

#include "base/buf.h"

void versions_format(struct buf *to)
{
	const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
	buf_addf(to, "libcurl %s, OpenSSL %s, libevent %s, libxml2 %s, jansson %s, glibc %s",
		curl->version, OpenSSL_version(OPENSSL_FULL_VERSION_STRING), event_get_version(),
		xmlParserVersion, jansson_version_str(), gnu_get_libc_version());
}
