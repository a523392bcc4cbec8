/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/kinds.h"

#include "base/array.h"
#include "model/vma.h"

enum { ACCESS = VMA_READ | VMA_WRITE | VMA_EXEC };

static enum vma_kind kind_of_memory(const struct vma *vma)
{
	return vma->perm & ACCESS ? KIND_ANON : KIND_RESERVED;
}

static bool is_hugetlb(const struct vma *vma)
{
	if (vma->vm_flags.len)
		return vma_has_flag(vma, "ht");
	return vma->deleted && bytes_equal(vma->path, BYTES("/anon_hugepage"));
}

/* Pseudo names: "[heap]", "[anon:NAME]"; a file's name is a path, so it never begins with "[". */
static enum vma_kind kind_of_pseudo(const struct vma *vma)
{
	static const struct {
		struct bytes prefix;
		enum vma_kind kind;
	} names[] = {
		{ BYTES_INIT("[heap]"), KIND_HEAP },
		{ BYTES_INIT("[stack]"), KIND_STACK },
		{ BYTES_INIT("[stack:"), KIND_THREAD_STACK }, /* until 4.5 */
		{ BYTES_INIT("[anon_shmem:"), KIND_SHM },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bytes_start_with(vma->path, names[i].prefix))
			return names[i].kind;
	if (bytes_start_with(vma->path, BYTES("[anon:")))
		return kind_of_memory(vma);
	return KIND_SPECIAL;
}

/* Files that only the kernel makes and that have no name in any directory. */
static enum vma_kind kind_of_unlinked(const struct vma *vma)
{
	static const struct {
		struct bytes prefix;
		enum vma_kind kind;
	} names[] = {
		{ BYTES_INIT("/SYSV"), KIND_SHM },
		{ BYTES_INIT("/dev/zero"), KIND_SHM },
		{ BYTES_INIT("/dev/ashmem"), KIND_SHM }, /* Android's, until 5.18 */
		{ BYTES_INIT("/secretmem"), KIND_SHM },
		{ BYTES_INIT("/[aio]"), KIND_DEVICE },
		{ BYTES_INIT("/drm mm object"), KIND_DEVICE },
		{ BYTES_INIT("/i915"), KIND_DEVICE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bytes_start_with(vma->path, names[i].prefix) && vma->dev_major == 0)
			return names[i].kind;
	return KIND_UNKNOWN;
}

enum vma_kind kind_of_record(const struct vma *vma)
{
	if (!vma->path_len)
		return kind_of_memory(vma);
	/* the pool's pages always belong to a file, if only to one that the kernel made */
	if (is_hugetlb(vma))
		return KIND_HUGETLB;
	if (vma->path.data[0] == '[')
		return kind_of_pseudo(vma);
	if (vma->path.data[0] != '/' || bytes_start_with(vma->path, BYTES("/dmabuf:")))
		return KIND_DEVICE;
	/* a private mapping of /dev/zero is anonymous memory that kept its name */
	if (!vma->deleted && !(vma->perm & VMA_SHARED) &&
	    bytes_equal(vma->path, BYTES("/dev/zero")))
		return kind_of_memory(vma);
	return vma->deleted ? kind_of_unlinked(vma) : KIND_UNKNOWN;
}

static bool is_memfd(const struct vma *vma)
{
	return vma->deleted && !vma->dev_major && bytes_start_with(vma->path, BYTES("/memfd:"));
}

/* By its name alone: what is below /dev, but for the file systems that are mounted there. */
static bool is_named_device(const struct vma *vma)
{
	static const struct bytes others[] = {
		BYTES_INIT("/dev/shm/"),
		BYTES_INIT("/dev/hugepages"),
		BYTES_INIT("/dev/mqueue/"),
		BYTES_INIT("/dev/zero"),
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (bytes_start_with(vma->path, others[i]))
			return false;
	return bytes_start_with(vma->path, BYTES("/dev/"));
}

enum vma_kind kind_of_file(const struct vma *vma, const struct look *look)
{
	static const enum vma_kind kinds[] = {
		[LOOK_UNKNOWN] = KIND_FILE,    [LOOK_ELF] = KIND_ELF,
		[LOOK_REGULAR] = KIND_FILE,    [LOOK_SHM] = KIND_SHM,
		[LOOK_HUGETLB] = KIND_HUGETLB, [LOOK_DEVICE] = KIND_DEVICE,
	};

	if (look->type == LOOK_UNKNOWN && is_memfd(vma))
		return KIND_SHM;
	/* raw frames, and memory that is I/O */
	if (look->type == LOOK_UNKNOWN &&
	    (vma_has_flag(vma, "pf") || vma_has_flag(vma, "io") || is_named_device(vma)))
		return KIND_DEVICE;
	return kinds[look->type];
}

static bool has_guard(const struct vma *vma, const struct vma *below)
{
	if (vma_has_flag(vma, "gu") || vma_has_flag(vma, "gd"))
		return true;
	/* gcore may leave the guard out, or writes it as readable */
	if (vma->core)
		return !below || below->end < vma->start ||
		       (!(below->perm & VMA_WRITE) && !below->path_len);
	return below && below->end == vma->start && !(below->perm & ACCESS) && !below->path_len;
}

int thread_of_stack(const struct vma *vma, const struct vma *below,
		    const struct thread_stack *stacks, size_t count)
{
	const uint8_t read_write = VMA_READ | VMA_WRITE;

	if (!count || vma->path_len || (vma->perm & (read_write | VMA_SHARED)) != read_write ||
	    !has_guard(vma, below))
		return 0;
	for (size_t i = 0; i < count; i++)
		if (stacks[i].address >= vma->start && stacks[i].address < vma->end)
			return stacks[i].tid;
	return 0;
}
