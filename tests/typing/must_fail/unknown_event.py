from framework import on_event


class Hooks:
    @on_event("complete")  # error: arg-type
    def note(self) -> None: ...
