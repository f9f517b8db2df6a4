"""The load generator: a measuring process that only stamps and keeps bytes, and a reader that makes figures of them.

Words of this room:

- *due*: when the schedule wants a request sent, fixed before the first one. *sent*: when it was given to the system.
  Latency from *due* counts the wait that a busy client or server causes (no coordinated omission).
- *read*: one piece of a reply, with the time at which the kernel received its last byte where the system tells it.
- *event*: one server-sent event. A *token event* carries text of any channel: content, reasoning, tool call, refusal.
- *worker*: a process that runs the loop over sockets. It parses nothing but the framing that tells where a reply ends.
- *spool*: the files to which workers append finished requests as raw bytes with stamps.
"""
