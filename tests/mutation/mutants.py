"""Small changes of a module's code, each of which some test should notice.

A mutant is an edit of one node of the syntax tree: a comparison, an operator, a constant, a
condition, a returned value, an argument or a statement. Docstrings, messages (strings with a
space, all that a raise or a log call says) and annotations stay as they are.
"""

import ast
import copy

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.MatMult: ast.Mult,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
LOGGERS = ("debug", "info", "warning", "error")
_FUNCTIONS = (ast.FunctionDef, ast.Lambda)
SAYS = ("_refuse", *LOGGERS)


class Mutant:
    """One change: its kind, the lines of its statement, the text before and after."""

    def __init__(self, path, tree, place, new, kind, parents):
        self.path, self.kind = path, kind
        self.lines = _lines(parents, _get(place))
        self.on_import = not any(isinstance(p, _FUNCTIONS) for p in parents)
        self._tree, self._place, self._new = tree, place, new
        self.before, self.after = ast.unparse(_get(place)), ast.unparse(new)

    def __str__(self):
        return f"{self.path}:{self.lines.start}: {self.kind}: {self.before} -> {self.after}"

    def code(self, filename):
        """The changed module, compiled."""
        old = _get(self._place)
        try:
            _put(self._place, self._new)
            ast.copy_location(self._new, old)
            return compile(ast.fix_missing_locations(self._tree), filename, "exec")
        finally:
            _put(self._place, old)


def mutants(path, source):
    """All mutants of a module's source, in the order of its lines."""
    tree = ast.parse(source)
    found = []
    for parents, place in _walk(tree):
        node = _get(place)
        for kind, new in _changes(parents, node):
            mutant = Mutant(path, tree, place, new, kind, parents)
            if mutant.before != mutant.after:
                found.append(mutant)
    return sorted(found, key=lambda m: m.lines.start)


def _get(place):
    node, field, i = place
    value = getattr(node, field)
    return value if i is None else value[i]


def _put(place, new):
    node, field, i = place
    if i is None:
        setattr(node, field, new)
    else:
        getattr(node, field)[i] = new


def _walk(node, parents=()):
    """(parents, place) of all that may change; a place is (parent, field, index or None)."""
    parents = (*parents, node)
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        several = isinstance(value, list)
        for i, child in enumerate(value if several else [value]):
            if isinstance(child, ast.AST) and not _is_text(child):
                yield parents, (node, field, i if several else None)
                yield from _walk(child, parents)


def _is_text(node):
    """Whether it is a docstring, an import or a line in the log."""
    return isinstance(node, (ast.Import, ast.ImportFrom)) or (
        isinstance(node, ast.Expr)
        and (isinstance(node.value, ast.Constant) or _called(node.value) in LOGGERS)
    )


def _called(node):
    if not isinstance(node, ast.Call):
        return None
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def _changes(parents, node):
    """(kind, node in its place) of each change of this very node."""
    if any(isinstance(p, ast.Raise) or _called(p) in SAYS for p in parents):
        return
    if type(node) in _MAKERS:
        yield from _MAKERS[type(node)](node)
    parent = parents[-1]
    if isinstance(parent, (ast.If, ast.IfExp)) and node is parent.test:
        yield "condition", ast.Constant(True)
        yield "condition", ast.Constant(False)
    if isinstance(parent, ast.comprehension) and any(node is test for test in parent.ifs):
        yield "condition", ast.Constant(True)


def _compare(node):
    for i, op in enumerate(node.ops):
        ops = [*node.ops[:i], _swap(COMPARISONS, op), *node.ops[i + 1 :]]
        yield "comparison", _with(node, ops=ops)


def _operator(node):
    yield "arithmetic", _with(node, op=_swap(OPERATORS, node.op))


def _boolean(node):
    yield "boolean", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def _unary(node):
    if isinstance(node.op, (ast.Not, ast.USub)):
        yield "boolean" if isinstance(node.op, ast.Not) else "arithmetic", node.operand


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str) and value and " " not in value:
        yield "constant", ast.Constant(f"X{value}")


def _call(node):
    name = getattr(node.func, "id", None)
    if name in NAMES:
        yield "name", _with(node, func=ast.Name(NAMES[name], ast.Load()))
    if name == "range" and not node.keywords:
        i = min(1, len(node.args) - 1)
        more = ast.BinOp(node.args[i], ast.Add(), ast.Constant(1))
        yield "off by one", _with(node, args=[*node.args[:i], more, *node.args[i + 1 :]])
    for i, keyword in enumerate(node.keywords):
        if keyword.arg:
            rest = [*node.keywords[:i], *node.keywords[i + 1 :]]
            yield "argument left out", _with(node, keywords=rest)


def _slice(node):
    for end in ("lower", "upper"):
        value = getattr(node, end)
        if value is not None and not isinstance(value, ast.Constant):
            yield "off by one", _with(node, **{end: ast.BinOp(value, ast.Add(), ast.Constant(1))})


def _return(node):
    if node.value is not None:
        yield "return value", ast.Return(ast.Constant(None))


def _left_out(node):
    yield "statement left out", ast.Pass()


def _assign(node):
    if all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets):
        yield "statement left out", ast.Pass()


def _aug_assign(node):
    yield "statement left out", ast.Pass()
    yield from _operator(node)


_MAKERS = {
    ast.Compare: _compare,
    ast.BinOp: _operator,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.Slice: _slice,
    ast.Return: _return,
    ast.Expr: _left_out,
    ast.Raise: _left_out,
    ast.Break: _left_out,
    ast.Continue: _left_out,
    ast.Assign: _assign,
    ast.AugAssign: _aug_assign,
}


def _swap(table, op):
    return table.get(type(op), type(op))()


def _with(node, **fields):
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _lines(parents, node):
    """The lines of the statement that `node` is in; of a compound one but a function, its head."""
    up = (node, *reversed(parents))
    statement = next(n for n in up if isinstance(n, (ast.stmt, ast.excepthandler)))
    last, body = statement.end_lineno, getattr(statement, "body", None)
    if body and not isinstance(statement, ast.FunctionDef):
        last = max(statement.lineno, body[0].lineno - 1)
    return range(statement.lineno, last + 1)
