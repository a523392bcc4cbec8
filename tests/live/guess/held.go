// SPDX-License-Identifier: GPL-2.0-or-later

// Holds 100 MiB until its input ends; prints where.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

func main() {
	var held [][]byte
	var where []string

	for i := 0; i < 100; i++ {
		piece := make([]byte, 1<<20)
		for j := 0; j < len(piece); j += 4096 {
			piece[j] = 1
		}
		held = append(held, piece)
		where = append(where, fmt.Sprintf("%d", &piece[0]))
	}
	fmt.Printf("{\"heap\":[%s]}\n", strings.Join(where, ","))
	os.Stdin.Read(make([]byte, 1))
	runtime.KeepAlive(held)
}
