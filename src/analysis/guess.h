/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_GUESS_H
#define VMVIEW_ANALYSIS_GUESS_H

struct vma_store;

/*
 * What anonymous memory without a name may be, by where it lies and what is beside it. The kernel does not
 * know: each is a guess, and never more. Mappings by rising addresses, with kind and tid; guesses[i] of
 * mapping i is a literal, or NULL:
 *
 * - "malloc arena": glibc reserves the heaps of its further arenas in pieces of 64 MiB (1 MiB in 32-bit
 *   processes), aligned to that, and makes them accessible from below;
 * - "go heap": what begins at 0xc000000000, or a multiple of 1 TiB above it, and is aligned to 64 MiB;
 * - "asan shadow", "asan heap": where AddressSanitizer has them on x86-64, always at the same place;
 * - "v8 heap": in Node.js, aligned pieces at random places below the 46th bit;
 * - "mimalloc heap": from 2 TiB on, aligned to 32 MiB;
 * - "jemalloc heap": where libjemalloc.so is mapped, from 2 MiB on, aligned to 512 KiB;
 * - "java heap", where libjvm.so is mapped: the stretch of which most is accessible, and which begins at
 *   a multiple of 1 MiB, below 32 GiB if there is one (compressed pointers reach no further); what is
 *   reserved behind a memfd named java_heap (ZGC), where there is one;
 * - "java classes": what follows Java's archive of classes, or its heap below 4 or 32 GiB, and pieces of 64 MiB,
 *   aligned to 4 MiB, that are accessible in steps of 64 KiB (metaspace, since JDK 16);
 * - "java code": executable memory with what is reserved for it, where libjvm.so is mapped;
 * - "jit code": other memory that can be executed;
 * - "thread stack": a small guard and memory that no thread's stack pointer is in now;
 * - "heap": in a core, which has no names: what follows the program at a distance.
 */
void guesses_make(const struct vma_store *store, const char **guesses);

#endif
