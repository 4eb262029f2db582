#include "sensor/credential.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

char *credential_file(const char *configured, const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (configured[0] != '\0')
		return xstrdup(configured);
	if (folder == NULL || folder[0] != '/')
		return NULL;
	char *path = xasprintf("%s/%s", folder, name);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}
