/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/own_caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Version 3 of the interface has two words of 32 bits of each set; 0 is the caller. */
static const struct __user_cap_header_struct own = { .version = _LINUX_CAPABILITY_VERSION_3 };

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

int own_caps_get(struct own_caps *caps)
{
	struct __user_cap_header_struct header = own;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -errno;
	caps->effective = join(data[0].effective, data[1].effective);
	caps->permitted = join(data[0].permitted, data[1].permitted);
	caps->inheritable = join(data[0].inheritable, data[1].inheritable);
	return 0;
}

int own_caps_set(const struct own_caps *caps)
{
	struct __user_cap_header_struct header = own;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = (uint32_t)(caps->effective >> (32 * i));
		data[i].permitted = (uint32_t)(caps->permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(caps->inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

bool own_caps_any(const struct own_caps *caps)
{
	return caps->effective || caps->permitted || caps->inheritable;
}
