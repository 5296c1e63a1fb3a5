"""The benchmark's specs, the same to the last bit as those of spec-generator.mjs, which documents them."""

from collections.abc import Iterator

EARTH_RADIUS_KM = 6378.1363


def generate_specs(count: int, seed: int = 1) -> Iterator[dict[str, float]]:
    """Yields ``count`` orbits; ``seed`` is 0 to 2**32 - 1."""
    state = seed & 0xFFFFFFFF

    def draw() -> float:
        nonlocal state
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        return state / 4294967296

    for _ in range(count):
        perigee_altitude = 300 + 35000 * draw()
        eccentricity = 0.6 * draw()
        yield {
            "semi_major_axis_km": (EARTH_RADIUS_KM + perigee_altitude) / (1 - eccentricity),
            "eccentricity": eccentricity,
            "inclination_deg": 180 * draw(),
            "raan_deg": 360 * draw(),
            "arg_perigee_deg": 360 * draw(),
            "mean_anomaly_deg": 360 * draw(),
        }
