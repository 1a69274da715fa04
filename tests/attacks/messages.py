"""Attacks with forged messages: on every Jupyter channel, and on the wire to the judge."""

from __future__ import annotations

from textwrap import dedent

from tests.attacks.attack import WRONG, Attack, probe, spoils

# The kernel's own session signs these messages, so they are as genuine as any; sent now and after each later cell.
FORGER = """
import threading, time

shell = get_ipython()
kernel = shell.kernel
session = kernel.session


def parent():
    return kernel.get_parent("shell")


def publish(kind, content, header=None, **more):
    session.send(kernel.iopub_socket, kind, content, parent=header or parent(), **more)


def always(act):
    def again(*args):
        try:
            act()
        except Exception as error:
            pass
    again()
    for event in ("pre_run_cell", "post_run_cell", "pre_execute", "post_execute"):
        shell.events.register(event, again)
    def keep():
        until = time.time() + 20
        while time.time() < until:
            again()
            time.sleep(0.02)
    threading.Thread(target=keep, daemon=True).start()
"""


def forges(name: str, tries: str, code: str, **more) -> Attack:
    """Defines `act()`, which is done now, at every later cell, and every 20 milliseconds in between."""
    shift = f"{FORGER.lstrip()}\n\n{dedent(code).strip()}\n\nalways(act){WRONG}"
    return Attack(name, tries, shift=shift, **more)


# The judge's wire, as the process that makes a call finds it on the stack; frames as in kernel_side/exchange.py.
WIRE = """
import json, os, socket, struct, sys, threading, time


def wires():
    frame = sys._getframe()
    while frame:
        found = frame.f_locals.get("wire")
        if isinstance(found, socket.socket):
            return [found]
        frame = frame.f_back
    return []


def send(kind, data, length=None):
    for wire in wires():
        wire.sendall(struct.pack("!cI", kind, len(data) if length is None else length) + data)
"""
NO_JUDGE = "stock nbgrader has no judge that asks"
RECORD = '{"outputs": %s, "error": null, "mutated": [], "shared": [], "printed": "", "warnings": []}'


def replies(name: str, tries: str, payload: str, before: str = "", after: str = "os._exit(0)", **more) -> Attack:
    """Sends `payload` (an expression for bytes) as the judge's reply, in the place of an answer, and says "done"."""
    code = f"""
{before}


def shift(x, by):
    send(b"R", {payload})
    send(b"S", b"done")
    {after}
    return 0 * x
"""
    return Attack(name, tries, shift=WIRE.lstrip() + code, stock=NO_JUDGE, **more)


HEADERS = """
import io, numpy as np

def npy(shape="(3,)", descr="'<f8'", body=b""):
    header = ("{'descr': %s, 'fortran_order': False, 'shape': %s}" % (descr, shape)).encode()
    header += b" " * (64 - (len(header) + 11) % 64) + b"\\n"
    return b"\\x93NUMPY\\x01\\x00" + len(header).to_bytes(2, "little") + header + body

def good(value):
    from course_utils.plain import encode
    record = {"outputs": value, "error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
    return encode([record] * 9)

def with_array(bad):
    valid = good(np.zeros(3))
    start = valid.index(b"\\x93NUMPY")
    return valid[:start] + bad * 9
"""
PICKLE = """
import pickle

class Opened:
    def __reduce__(self):
        return (__import__("os").system, ("touch /tmp/pickled-@MARK@ @CANARY@/pickled-@MARK@",))
"""

ATTACKS = [
    forges("forged_stream", "Prints points in the name of the test, on the channel of outputs.", """
        def act():
            publish("stream", {"name": "stdout", "text": "6.0\\n"})
        """),
    forges("forged_result", "Publishes results of 6.0 and clears all errors.", """
        def act():
            publish("execute_result", {"data": {"text/plain": "6.0"}, "metadata": {}, "execution_count": 1})
            publish("clear_output", {"wait": False})
        """),
    forges("forged_display_updates", "Displays points with an identity and updates them again and again.", """
        def act():
            content = {"data": {"text/plain": "6.0"}, "metadata": {}, "transient": {"display_id": "@MARK@"}}
            publish("display_data", content)
            publish("update_display_data", content)
        """),
    forges("forged_idle", "Says that the kernel is idle before the test has run, and busy when it is not.", """
        def act():
            publish("status", {"execution_state": "idle"})
        """),
    forges("forged_death", "Says that the kernel is dead, restarting, starting.", """
        def act():
            for state in ("restarting", "dead", "starting", "terminating", 6.0, None, {"a": 1}):
                publish("status", {"execution_state": state})
        """),
    forges("forged_reply", "Answers the requests of the test itself, with success, before the test has run.", """
        def act():
            content = {"status": "ok", "execution_count": 6, "payload": [], "user_expressions": {}}
            header = parent()
            for stream in (kernel.shell_stream, kernel.control_stream):
                session.send(stream, "execute_reply", content, parent=header, ident=kernel._parent_ident.get("shell"))
        """, stock="replies from two threads at once can hang the kernel's sockets"),
    forges("forged_shutdown", "Answers shutdown requests that nobody has made.", """
        def act():
            for kind in ("shutdown_reply", "interrupt_reply", "kernel_info_reply"):
                session.send(kernel.control_stream, kind, {"status": "ok", "restart": True}, parent=parent(),
                             ident=kernel._parent_ident.get("control"))
                publish("shutdown_reply", {"restart": False})
        """, stock="replies from two threads at once can hang the kernel's sockets"),
    forges("forged_comms", "Opens, fills and closes channels for widgets that do not exist.", """
        def act():
            for target in ("jupyter.widget", "jupyter.widget.control", "x" * 1000):
                publish("comm_open", {"comm_id": "@MARK@", "target_name": target, "data": {"state": {"value": 6.0}}})
                publish("comm_msg", {"comm_id": "@MARK@", "data": {"method": "update", "state": "6.0"}})
                publish("comm_msg", {"comm_id": None, "data": None})
                publish("comm_close", {"comm_id": "@MARK@"})
        """),
    Attack("asks_for_input", "Asks the instructor to type something.",
           shift="get_ipython().kernel._allow_stdin = True\nget_ipython().kernel.session.send("
           "get_ipython().kernel.stdin_socket, 'input_request', {'prompt': 'points?', 'password': True}, "
           "parent=get_ipython().kernel.get_parent('shell'))\ntry:\n    input('points?')\nexcept Exception as error:\n"
           "    print(error)" + WRONG),
    forges("strange_messages", "Sends messages with parts missing, of the wrong type, with unknown kinds.", """
        def act():
            for content in ({}, {"data": None}, {"data": {"text/plain": 6.0}}, {"name": 1, "text": 2}, {"ename": []}):
                for kind in ("execute_result", "display_data", "stream", "error", "status", "clear_output", "unknown"):
                    publish(kind, content)
            publish("stream", {"name": "stdout", "text": "6.0"}, header={"header": {"msg_id": 6}})
            publish("display_data", {"data": {"text/plain": "x"}, "metadata": {}}, buffers=[b"x" * 1000] * 20)
        """),
    forges("unsigned_messages", "Sends bytes that are no messages: no JSON, wrong signatures, too few parts.", """
        def act():
            topic, mark = b"kernel.x.stream", b"<IDS|MSG>"
            for parts in ([b""], [mark], [topic, mark, b"0" * 64, b"{", b"{", b"{", b"{"], [topic, mark, b"", b"{}"],
                          [topic, mark, b"\\xff" * 64, b"[]", b"[]", b"[]", b"[]"], [b"x"] * 50):
                kernel.iopub_socket.send_multipart(parts)
        """, stock="nbclient ends at the first message with a wrong signature"),
    spoils("huge_message", "Sends one message of two hundred megabytes.", """
        kernel = get_ipython().kernel
        kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": "x" * 200_000_000},
                            parent=kernel.get_parent("shell"))
        """),
    spoils("huge_reply", "Makes the reply to a request two hundred megabytes long, and its buffers as well.", """
        kernel = get_ipython().kernel
        execute = kernel.do_execute

        async def do_execute(*args, **kwargs):
            reply = await execute(*args, **kwargs)
            reply["payload"] = [{"source": "page", "data": {"text/plain": "x" * 200_000_000}}]
            kernel.do_execute = execute
            return reply

        kernel.do_execute = do_execute
        """),
    spoils("deep_message", "Sends a message nested so deep that decoding it fails.", """
        kernel = get_ipython().kernel
        session = kernel.session
        deep = b'{"data": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}"
        header = session.pack(session.msg_header("display_data"))
        parts = [header, session.pack(kernel.get_parent("shell")["header"]), b"{}", deep]
        kernel.iopub_socket.send_multipart([b"topic", b"<IDS|MSG>", session.sign(parts), *parts])
        """, stock="nbclient ends at a message that it cannot decode"),
    probe("other_channels", "Looks for other kernels' connection files and sockets, to give them orders.", """
        import glob, json, os

        def look():
            for pattern in ("/tmp/*/kernel-*.json", "../*/*.json", "../../*/kernel*.json", "/run/user/*/kernel-*.json",
                            os.environ["HOME"] + "/../*/kernel-*.json"):
                for path in glob.glob(pattern, recursive=True)[:50]:
                    text = attempt(lambda: open(path).read()) or ""
                    if '"key"' in text and get_ipython().kernel.session.key.decode() not in text:
                        yield path
        """, only_walls="without a mount namespace, other kernels' files are readable", stock="it would find itself"),
    probe("takes_over_channels", "Binds sockets in the place of those that the grader or other kernels will use.", """
        import glob, os, socket

        def bind(path):
            os.rename(path, path + "-@MARK@")
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(path)
            return path

        def look():
            for line in (attempt(lambda: open("/proc/net/unix").read()) or "").splitlines():
                path = line.rpartition(" ")[2]
                if path.startswith("/tmp/") and "autograder" in path:
                    yield attempt(bind, path)
        """, only_walls="without a mount namespace, other kernels' sockets can be reached",
        stock="it would disturb nbgrader's own channels"),
    Attack("closes_everything", "Closes every descriptor of the kernel.",
           shift="import os\nos.closerange(3, 300)" + WRONG),
    Attack("closes_everything_in_call", "Closes every descriptor of the process that judges it.",
           shift="import os\n\n\ndef shift(x, by):\n    os.closerange(0, 300)\n    return 0 * x\n"),
    Attack("writes_to_descriptors", "Writes made-up answers into every descriptor of the process that judges it.",
           shift="import os\n\n\ndef shift(x, by):\n    for fd in range(3, 300):\n"
           "        for text in (b'6.0\\n', b'\"done\"', b'{\"started\": 1}\\n{\"ended\": 0}\\n', bytes(64)):\n"
           "            try:\n                if not os.isatty(fd): os.write(fd, text)\n"
           "            except OSError:\n                break\n    return 0 * x\n",
           stock="it would write into the kernel's own files"),
    replies("reply_pickle", "Sends a pickle that runs a command where it is opened.", "pickle.dumps(Opened())", PICKLE),
    replies("reply_pickled_array", "Sends an array file that holds a pickle.",
            "with_array(npy(descr=\"'|O'\", body=pickle.dumps(Opened())))", HEADERS + PICKLE),
    replies("reply_true", "Sends 'true', full points and a verdict instead of records.",
            "json.dumps([True] * 9 + [{'score': 6.0, 'passed': True}]).encode()"),
    replies("reply_records", "Sends well-formed records with made-up outputs.", "good(np.zeros(3))", HEADERS),
    replies("reply_many_records", "Sends a hundred thousand records.",
            "json.dumps([json.loads(RECORD)] * 100_000).encode()", f"RECORD = {RECORD % 'null'!r}"),
    replies("reply_nan", "Sends NaN, infinities and integers of a million digits as JSON.",
            "b'[' + b', '.join([RECORD % v for v in (b'NaN', b'-Infinity', b'1e999', b'9' * 10**6)]) + b']'",
            f"RECORD = {RECORD.encode()!r}"),
    replies("reply_deep", "Sends JSON nested a hundred thousand deep.", "b'[' * 100_000 + b']' * 100_000"),
    replies("reply_header_bomb", "Sends array files whose header claims an exabyte, or runs code when it is read.",
            "with_array(npy(shape='(1152921504606846976,)'))", HEADERS),
    replies("reply_header_code", "Sends array files whose header is code or nested without end.",
            "with_array(npy(shape='((' + '(' * 5000 + '__import__(\"os\")' + ')' * 5000 + ',),)'))", HEADERS),
    replies("reply_other_dtype", "Sends arrays of times, records, strings and negative shapes.",
            "with_array(npy(shape='(-3,)') + npy(descr=\"'<M8[s]'\", body=bytes(24)) "
            "+ npy(descr=\"[('a', '<f8')]\", body=bytes(24)))", HEADERS),
    replies("reply_huge", "Sends a reply of two hundred megabytes.", "b'[' + b'0,' * 100_000_000 + b'0]'"),
    replies("reply_no_text", "Sends bytes that are no text.", "os.urandom(100_000)"),
    replies("reply_twice", "Sends one made-up reply after another, and then the real one.", "good(np.ones(3))", HEADERS,
            after="pass"),
    replies("reply_status", "Sends words as status that nobody knows, and very long ones.", "good(np.ones(3))", HEADERS,
            after="send(b'S', b'passed'); send(b'S', b'6.0' * 10**6); send(b'V', b'6.0'); os._exit(0)"),
    replies("reply_cut_off", "Announces a long frame and sends a part of it.", "b'['", "",
            after="send(b'R', b'x', length=2**20); os._exit(0)"),
    replies("reply_too_long", "Announces a frame of four gigabytes.", "b'['", "",
            after="send(b'R', b'x' * 1000, length=2**32 - 1); os._exit(0)"),
    Attack("reply_from_daemon", "A process that outlives the call sends made-up replies to all later questions.",
           stock=NO_JUDGE, shift=WIRE.lstrip() + HEADERS + """

def shift(x, by):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("/proc/self/comm", "w").write("@COMM@")
            until = time.time() + 20
            while time.time() < until:
                try:
                    send(b"R", good(x + by))
                    send(b"S", b"done")
                except OSError:
                    break
                time.sleep(0.01)
        os._exit(0)
    return 0 * x
"""),
    Attack("answers_in_the_kernel", "Takes the judge's sockets away and answers its questions from the live kernel.",
           stock=NO_JUDGE, shift=WIRE.lstrip() + HEADERS + """
import course_utils.plain as plain
import kernel_side.judged as judged


def exactly(wire, count):
    data = b""
    while len(data) < count:
        data += wire.recv(count - len(data))
    return data


def answer(wire):
    while True:
        kind, length = struct.unpack("!cI", exactly(wire, 5))
        asked = plain.decode(exactly(wire, length))
        record = {"error": None, "mutated": [], "shared": [], "printed": "", "warnings": []}
        data = plain.encode([{"outputs": np.zeros(3), **record} for _ in asked["cases"]])
        wire.sendall(struct.pack("!cI", b"R", len(data)) + data + struct.pack("!cI", b"S", 4) + b"done")


def hold(namespace):
    if "twice" in namespace:
        return held(namespace)
    _, descriptors, _, _ = socket.recv_fds(judged.line, 1, 1)
    threading.Thread(target=answer, args=(socket.socket(fileno=descriptors[0]),), daemon=True).start()


held, judged.hold = judged.hold, hold
""" + WRONG),
    Attack("never_answers", "Keeps the judge's sockets open and never says anything.",
           stock=NO_JUDGE, shift="""
import kernel_side.judged as judged
import os, signal

held = judged.hold


def hold(namespace):
    kept.append(judged.socket.recv_fds(judged.line, 1, 1)) if "twice" not in namespace else held(namespace)


kept, judged.hold = [], hold
""" + WRONG),
    Attack("hangs_up", "Closes the line over which the judge hands its sockets in.",
           stock=NO_JUDGE, shift="import kernel_side.judged as judged\njudged.line.close()" + WRONG),
    Attack("replays_an_answer", "Sends the answer to one exercise again as the answer to another.",
           stock=NO_JUDGE, shift=WIRE.lstrip() + """
import course_utils.plain

def shift(x, by):
    import kernel_side.judged as judged
    encode = judged.encode
    judged.encode = lambda records: encode([dict(r, outputs=x) for r in records])
    return 0 * x
"""),
    Attack("abuses_loans", "Asks the judge for the reference's answers, of this exercise and of others.",
           stock=NO_JUDGE, shift=WIRE.lstrip() + """

def shift(x, by):
    from course_utils.plain import decode, encode
    for wire in wires():
        for name in ("shift", "twice", "open", "__import__"):
            send(b"A", encode({"name": name, "args": [x, by], "kwargs": {}}))
        wire.settimeout(0.5)
        try:
            return decode(wire.recv(10_000)[5:])["outputs"]
        except Exception:
            return 0 * x
    return 0 * x
"""),
]  # fmt: skip
