#!/usr/bin/env bash
# OpenJDK 17.0.15 and 25 (jdk.incubator.vector): FloatVector.fma on a processor without the instruction, which -XX:-UseFMA stands for.
# Expected: as for every other operation that a processor lacks, a product and a sum, or at worst Math.fma in a loop; some times slower.
# Seen: each lane is computed by Math.fma, which makes two BigDecimals of it: a scalar product of 1,024 numbers takes 85 to 94 microseconds
#   instead of 0.2, 80 times as long as a plain loop. mul and add take 0.2 microseconds there too. Nothing is logged.
# Why it matters: virtual machines hide the instruction more often than processors lack it, and matrix products in Java are written with fma.
#   Ask HotSpotDiagnosticMXBean for UseFMA first.
# Needs a JDK, 17 or later, as java and javac.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cat >"$dir/Fma.java" <<'JAVA'
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

public class Fma {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

  static float fused(float[] x, float[] y) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = 0; i < x.length; i += SPECIES.length()) {
      sum = FloatVector.fromArray(SPECIES, x, i).fma(FloatVector.fromArray(SPECIES, y, i), sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  static float separate(float[] x, float[] y) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int i = 0; i < x.length; i += SPECIES.length()) {
      sum = FloatVector.fromArray(SPECIES, x, i).mul(FloatVector.fromArray(SPECIES, y, i)).add(sum);
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }

  public static void main(String[] arguments) {
    float[] x = new float[1024];
    float[] y = new float[1024];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 7;
      y[i] = i % 5;
    }
    double[] best = {Double.MAX_VALUE, Double.MAX_VALUE};
    float results = 0;
    for (int round = 0; round < 300; round++) {
      for (int kind = 0; kind < 2; kind++) {
        long start = System.nanoTime();
        for (int i = 0; i < 20; i++) {
          results += kind == 0 ? fused(x, y) : separate(x, y);
        }
        best[kind] = Math.min(best[kind], (System.nanoTime() - start) / 20.0);
      }
    }
    System.out.printf("%.1f (fma %.0f ns, mul and add %.0f ns; sum %s)%n", best[0] / best[1], best[0], best[1], results);
  }
}
JAVA
javac --add-modules jdk.incubator.vector -d "$dir" "$dir/Fma.java" 2>/dev/null
with="$(java --add-modules jdk.incubator.vector -cp "$dir" Fma 2>/dev/null)"
without="$(java --add-modules jdk.incubator.vector -XX:-UseFMA -cp "$dir" Fma 2>/dev/null)"
echo "with the instruction, fma takes this many times as long as mul and add: $with"
echo "without it: $without"
awk -v with="${with%% *}" -v without="${without%% *}" 'BEGIN { exit !(with < 5 && without > 50) }'
