// SPDX-License-Identifier: GPL-2.0-or-later
// Holds 20 MiB and three threads until its input ends.
import java.util.ArrayList;
import java.util.List;

public class Held {
	public static void main(String[] args) throws Exception {
		List<byte[]> held = new ArrayList<>();

		for (int i = 0; i < 20; i++)
			held.add(new byte[1 << 20]);
		for (int i = 0; i < 3; i++) {
			Thread thread = new Thread(() -> {
				try {
					Thread.sleep(Long.MAX_VALUE);
				} catch (InterruptedException e) {
					return;
				}
			});
			thread.setDaemon(true);
			thread.start();
		}
		System.out.println("{\"held\":" + held.size() + "}");
		System.in.read();
	}
}
