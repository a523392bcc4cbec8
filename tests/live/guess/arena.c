/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program whose second thread allocates, so that glibc makes a second arena; then a third thread
 * ends, whose stack glibc keeps for the next one. Prints where all of it is.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *in_arena, *in_heap;
static uintptr_t stack;
static pthread_barrier_t ready;

static void *allocates(void *arg)
{
	in_arena = malloc(100000);
	memset(in_arena, 1, 100000);
	pthread_barrier_wait(&ready);
	pause();
	return arg;
}

static void *ends(void *arg)
{
	stack = (uintptr_t)__builtin_frame_address(0);
	return arg;
}

int main(void)
{
	void *plain =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *code = mmap(NULL, 1 << 16, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t first, second;

	in_heap = malloc(100);
	pthread_barrier_init(&ready, NULL, 2);
	pthread_create(&first, NULL, allocates, NULL);
	pthread_barrier_wait(&ready);
	pthread_create(&second, NULL, ends, NULL);
	pthread_join(second, NULL);
	printf("{\"arena\":%lu,\"stack\":%lu,\"code\":%lu,\"heap\":%lu,\"plain\":%lu}\n",
	       (unsigned long)in_arena, (unsigned long)stack, (unsigned long)code,
	       (unsigned long)in_heap, (unsigned long)plain);
	fflush(stdout);
	return (int)read(0, &(char){ 0 }, 1);
}
