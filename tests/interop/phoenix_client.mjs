// The official JavaScript client, driven over stdin and stdout, one JSON value a line.
// In: ["push", event, payload] and ["leave"]. Out: [what, detail].
import { createInterface } from "node:readline"
import { Presence, Socket } from "phoenix"
import WebSocket from "ws"

const [url, token, topic] = process.argv.slice(2)
const say = (what, detail = null) => console.log(JSON.stringify([what, detail]))

const socket = new Socket(`${url}/socket`, {
  params: { token },
  transport: WebSocket,
  reconnectAfterMs: () => 20,
  rejoinAfterMs: () => 20,
})
socket.onOpen(() => say("open"))
socket.onClose((event) => say("closed", event.code))

const channel = socket.channel(topic, {})
const presence = new Presence(channel)
presence.onSync(() => say("present", presence.list((id, { metas }) => [id, metas.length])))
channel.on("message:new", (message) => say("message", message.body))
channel.on("typing:start", ({ user_id }) => say("typing", user_id))
channel.onError((reason) => say("errored", reason ?? null))
channel.onClose(() => say("left"))

socket.connect()
channel.join()
  .receive("ok", (response) => say("joined", response))
  .receive("error", (response) => say("refused", response))

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [what, ...rest] = JSON.parse(line)
    if (what === "push") channel.push(...rest)
    if (what === "leave") channel.leave()
  })
  .on("close", () => process.exit(0))
