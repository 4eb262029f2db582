#include "base/machine.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PURPOSE "acmsensor machine 1 "
enum { PURPOSE_LEN = sizeof(PURPOSE) - 1, ID_LEN = 32 };

bool machine_read(const char *file, unsigned char ret_machine[MACHINE_LEN])
{
	char text[PURPOSE_LEN + ID_LEN + 1] = PURPOSE;
	unsigned char bytes[ID_LEN / 2];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t len = read(fd, text + PURPOSE_LEN, ID_LEN);
	close(fd);
	/* "uninitialized" is what is there before the first boot. */
	if (len != ID_LEN || !text_unhex(text + PURPOSE_LEN, bytes, sizeof(bytes)))
		return false;
	SHA256((const unsigned char *)text, PURPOSE_LEN + ID_LEN, ret_machine);
	return true;
}
