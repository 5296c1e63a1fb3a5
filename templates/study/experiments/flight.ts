const GRAVITY = 9.80665; // [m/s2], standard
const AIR_DENSITY = 1.225; // [kg/m3], at sea level and 15 °C
const STEP = 0.002; // [s]
const STEPS_PER_ROW = 50; // a row of the trajectory each 0.1 s

export interface Ball {
  speed: number;
  angle: number;
  mass: number;
  diameter: number;
  drag: number;
}

interface Motion {
  x: number;
  y: number;
  vx: number;
  vy: number;
}

/** Flies a ball until it lands, by the midpoint method. */
export function fly(ball: Ball) {
  const angle = (ball.angle * Math.PI) / 180;
  const area = (Math.PI * ball.diameter ** 2) / 4;
  const k = (0.5 * AIR_DENSITY * ball.drag * area) / ball.mass;
  const trajectory: { time: number; x: number; y: number }[] = [];
  let now: Motion = { x: 0, y: 0, vx: ball.speed * Math.cos(angle), vy: ball.speed * Math.sin(angle) };
  let height = 0;
  for (let step = 0; ; step++) {
    if (step % STEPS_PER_ROW === 0) trajectory.push({ time: step * STEP, x: now.x, y: now.y });
    const next = advance(now, k);
    height = Math.max(height, next.y);
    if (next.y < 0) {
      const share = now.y / (now.y - next.y); // of the step, until the ground
      return {
        range: now.x + share * (next.x - now.x),
        height,
        duration: (step + share) * STEP,
        landingSpeed: Math.hypot(next.vx, next.vy),
        trajectory,
      };
    }
    now = next;
  }
}

function advance(motion: Motion, k: number): Motion {
  const middle = move(motion, motion, k, STEP / 2);
  return move(motion, middle, k, STEP);
}

/** Moves `from` for a time, with velocity and acceleration as they are at `at`. */
function move(from: Motion, at: Motion, k: number, time: number): Motion {
  const speed = Math.hypot(at.vx, at.vy);
  return {
    x: from.x + at.vx * time,
    y: from.y + at.vy * time,
    vx: from.vx - k * speed * at.vx * time,
    vy: from.vy - (GRAVITY + k * speed * at.vy) * time,
  };
}
