/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people call a cgroup. */
#include "unit.h"

#include "analysis/cgroup_name.h"
#include "base/arena.h"

#define ID "3f2a9c1b7d04aabbccddeeff00112233445566778899aabbccddeeff00112233"
#define POD "9a3e16ca-77d1-4e0a-9b5c-0f2d6c1a8e44"
#define POD_SLICE "9a3e16ca_77d1_4e0a_9b5c_0f2d6c1a8e44"

static const struct name_case {
	const char *path, *name, *id;
	unsigned depth;
} name_cases[] = {
	{ "/", "/", "", 0 },
	{ "/system.slice/nginx.service", "nginx.service", "", 2 },
	{ "/docker/" ID, "docker 3f2a9c1b7d04", ID, 2 },
	{ "/system.slice/docker-" ID ".scope", "docker 3f2a9c1b7d04", ID, 2 },
	{ "/machine.slice/libpod-" ID ".scope", "podman 3f2a9c1b7d04", ID, 2 },
	{ "/machine.slice/libpod-" ID ".scope/container", "container", "", 3 },
	{ "/kubepods/burstable/pod" POD, "pod burstable 9a3e16ca", "", 3 },
	{ "/kubepods/pod" POD, "pod guaranteed 9a3e16ca", "", 2 },
	{ "/kubepods/besteffort/pod" POD "/" ID, "container 3f2a9c1b7d04", ID, 4 },
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_SLICE ".slice",
	  "pod burstable 9a3e16ca", "", 3 },
	{ "/kubepods.slice/kubepods-pod" POD_SLICE ".slice/cri-containerd-" ID ".scope",
	  "containerd 3f2a9c1b7d04", ID, 3 },
	{ "/kubepods.slice/kubepods-pod" POD_SLICE ".slice/crio-" ID ".scope", "cri-o 3f2a9c1b7d04",
	  ID, 3 },
	{ "/kubepods.slice", "kubepods.slice", "", 1 },
	{ "/a/3f2a9c1b7d04", "3f2a9c1b7d04", "", 2 },
	{ "/podium.slice/pod-x", "pod-x", "", 2 },
	{ "no-slash", "no-slash", "", 0 },
};

static void test_names(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT(name_cases); i++) {
		const struct name_case *one = &name_cases[i];
		struct bytes path = bytes_of(one->path);

		check_bytes(one->path, cgroup_name(path, &arena), bytes_of(one->name));
		check_bytes(one->path, cgroup_container(path), bytes_of(one->id));
		CHECK(one->path, cgroup_depth(path) == one->depth);
	}
	arena_fini(&arena);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(cgroup_is_below(BYTES("/a/b"), BYTES("/a")));
	assert_true(cgroup_is_below(BYTES("/a"), BYTES("/a")));
	assert_false(cgroup_is_below(BYTES("/ab"), BYTES("/a")));
	assert_false(cgroup_is_below(BYTES("/"), BYTES("/a")));
	assert_true(cgroup_is_below(BYTES("/a"), BYTES("/")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_below),
	};

	return cmocka_run_group_tests_name("cgroup_name", tests, NULL, NULL);
}
