// The official Phoenix client: seconds of one event, for each line of standard input.
import { createInterface } from "node:readline";
import { Socket } from "phoenix";
import WebSocket from "ws";

const BURST = 250;
const BURSTS = 40;

const base = process.argv[2].replace("http", "ws");
const socket = new Socket(`${base}/socket`, { transport: WebSocket });
socket.connect();
const channel = socket.channel("conversation:0190a000-0000-7000-8000-000000000001", {});
let taken = 0;
let over = () => {};
channel.on("message:new", () => {
  taken += 1;
  if (taken % BURST) return;
  if (taken < BURST * (BURSTS - 1)) channel.push("typing", {});
  else if (taken === BURST * BURSTS) over();
});
await new Promise((resolve, reject) => {
  channel.join().receive("ok", resolve).receive("error", reject);
});
const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const start = process.hrtime.bigint();
  taken = 0;
  const end = new Promise((resolve) => (over = resolve));
  channel.push("typing", {});
  channel.push("typing", {});
  await end;
  console.log(Number(process.hrtime.bigint() - start) / 1e9 / (BURST * BURSTS));
}
process.exit(0);
