"""Functions that a Net calls before and after each layer runs."""


class Callbacks:
    """What Net has from here. Each function is called with the layer's number in `net.layers`;
    backward passes through all layers, also those that have no gradient to propagate."""

    def before_forward(self, function):
        """Call `function(number)` before each layer runs forward."""
        self._callbacks['before_forward'].append(function)

    def after_forward(self, function):
        """Call `function(number)` after each layer ran forward."""
        self._callbacks['after_forward'].append(function)

    def before_backward(self, function):
        """Call `function(number)` before each layer runs backward."""
        self._callbacks['before_backward'].append(function)

    def after_backward(self, function):
        """Call `function(number)` after each layer ran backward."""
        self._callbacks['after_backward'].append(function)

    def _called(self, direction, i, run):
        """run(i) between the callbacks of `direction`."""
        for function in self._callbacks['before_' + direction]:
            function(i)
        run(i)
        for function in self._callbacks['after_' + direction]:
            function(i)
