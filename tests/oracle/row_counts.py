"""Rows of a CSV text, character by character."""


def count_rows(text: str, delimiter: str, *, has_header: bool) -> int:
    """Count the rows that are not blank; a quote counts where a field starts, spaces before it or not."""
    if has_header:
        text = text.partition("\n")[2]
    rows, state, has_content = 0, "start", False
    for place, character in enumerate(text):
        if state == "quoted":
            if character == '"':
                state = "closed" if text[place + 1 : place + 2] != '"' else "escape"
        elif state == "escape":
            state = "quoted"
        elif character in "\r\n":
            rows += has_content
            state, has_content = "start", False
            continue
        elif character == delimiter:
            state = "start"
        elif character == '"' and state == "start":
            state = "quoted"
        elif character != " " or state != "start":
            state = "text"
        has_content = True
    return rows + has_content
