"""examples/orbital-dynamics/orbit.ts in plain Python: the same steps in the same order (sources are given there).

Run as a script it prints specs and results as JSON, for check-parity.mjs.
"""

import argparse
import json
import math
import sys

from spec_generator import generate_specs

MU_KM3_S2 = 398600.4415
EARTH_RADIUS_KM = 6378.1363
J2 = 0.0010826261738522
SECONDS_PER_DAY = 86_400
RAD_PER_DEG = math.pi / 180
DEG_PER_RAD = 180 / math.pi
TWO_PI = 2 * math.pi
KEPLER_TOLERANCE_RAD = 1e-12
KEPLER_MAX_ITERATIONS = 50


def solve_kepler(mean_anomaly: float, eccentricity: float) -> float:
    """Returns E [rad] of E - e sin E = M by Newton's method, to 1e-12; raises ValueError where e is no ellipse's."""
    if not 0 <= eccentricity < 1:
        raise ValueError(f"Eccentricity {eccentricity} is not that of an ellipse: give one from 0 to below 1.")
    wrapped = mean_anomaly - TWO_PI * math.floor((mean_anomaly + math.pi) / TWO_PI)
    target = abs(wrapped)
    anomaly = min(target + eccentricity, math.pi)
    for _ in range(KEPLER_MAX_ITERATIONS):
        step = (anomaly - eccentricity * math.sin(anomaly) - target) / (1 - eccentricity * math.cos(anomaly))
        anomaly -= step
        if abs(step) < KEPLER_TOLERANCE_RAD:
            return -anomaly if wrapped < 0 else anomaly
    raise ValueError(f"Kepler's equation did not converge for M = {mean_anomaly} rad, e = {eccentricity}.")


def propagate(elements: dict[str, float], days: float = 1) -> dict[str, float]:
    """Propagates mean elements by ``days`` under two-body motion and secular J2."""
    a = elements["semi_major_axis_km"]
    e = elements["eccentricity"]
    inclination = elements["inclination_deg"] * RAD_PER_DEG
    sin_i = math.sin(inclination)
    cos_i = math.cos(inclination)

    n = math.sqrt(MU_KM3_S2 / (a * a * a))
    eta2 = 1 - e * e
    eta = math.sqrt(eta2)
    radius_over_p = EARTH_RADIUS_KM / (a * eta2)
    k = 0.75 * n * J2 * radius_over_p * radius_over_p
    raan_rate = -2 * k * cos_i
    arg_perigee_rate = k * (4 - 5 * sin_i * sin_i)
    mean_anomaly_rate = n + k * eta * (2 - 3 * sin_i * sin_i)

    seconds = days * SECONDS_PER_DAY
    raan = elements["raan_deg"] * RAD_PER_DEG + raan_rate * seconds
    arg_perigee = elements["arg_perigee_deg"] * RAD_PER_DEG + arg_perigee_rate * seconds
    anomaly = solve_kepler(elements["mean_anomaly_deg"] * RAD_PER_DEG + mean_anomaly_rate * seconds, e)

    p = a * (math.cos(anomaly) - e)
    q = a * eta * math.sin(anomaly)
    cos_w = math.cos(arg_perigee)
    sin_w = math.sin(arg_perigee)
    to_node = p * cos_w - q * sin_w
    across_node = p * sin_w + q * cos_w
    cos_o = math.cos(raan)
    sin_o = math.sin(raan)
    to_deg_per_day = DEG_PER_RAD * SECONDS_PER_DAY
    return {
        "period_min": TWO_PI / n / 60,
        "raan_rate_deg_per_day": raan_rate * to_deg_per_day,
        "arg_perigee_rate_deg_per_day": arg_perigee_rate * to_deg_per_day,
        "x_km": to_node * cos_o - across_node * cos_i * sin_o,
        "y_km": to_node * sin_o + across_node * cos_i * cos_o,
        "z_km": across_node * sin_i,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = [{"spec": spec, "result": propagate(spec)} for spec in generate_specs(options.specs, options.seed)]
    json.dump(rows, sys.stdout)
