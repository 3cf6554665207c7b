"""Mechanics shared by the two FMUs: one mass on a spring and a damper, under an outside force."""


def acceleration(x, v, force, m, c, d):
    """Newton's second law, in m/s^2: m x'' = F - c x - d x'.

    x in m, v in m/s, force in N, m in kg, c in N/m, d in N s/m.
    """
    return (force - c * x - d * v) / m


def runge_kutta_step(x, v, force_at, h, m, c, d):
    """Advance position and velocity by h seconds with the classical fourth-order Runge-Kutta method.

    force_at(x, v) gives the outside force in N on the mass in that state.
    """

    def slope(x_now, v_now):
        return v_now, acceleration(x_now, v_now, force_at(x_now, v_now), m, c, d)

    k1x, k1v = slope(x, v)
    k2x, k2v = slope(x + h / 2 * k1x, v + h / 2 * k1v)
    k3x, k3v = slope(x + h / 2 * k2x, v + h / 2 * k2v)
    k4x, k4v = slope(x + h * k3x, v + h * k3v)
    return (
        x + h / 6 * (k1x + 2 * k2x + 2 * k3x + k4x),
        v + h / 6 * (k1v + 2 * k2v + 2 * k3v + k4v),
    )
