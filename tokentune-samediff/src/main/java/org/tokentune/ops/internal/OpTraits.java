package org.tokentune.ops.internal;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.graph.DType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.TransformOp;
import org.nd4j.linalg.api.ops.impl.shape.Concat;

/**
 * What an execution plan needs to know about an op. Our own ops say it themselves ({@link OwnOp},
 * {@link FusedOp}); for ND4J's ops it is here, the only place that knows their names.
 */
public final class OpTraits {

  private static final String MATMUL = "matmul";
  private static final String MATMUL_GRADIENTS = "matmul_bp";
  private static final String IDENTITY = "identity";
  private static final String SLICE = "slice";

  private static final Map<String, Aliasing> ALIASING =
      Map.of(
          "reshape",
          Aliasing.RESHAPE,
          "expand_dims",
          Aliasing.RESHAPE,
          "squeeze",
          Aliasing.RESHAPE,
          IDENTITY,
          Aliasing.RESHAPE,
          "permute",
          Aliasing.PERMUTE,
          SLICE,
          Aliasing.SLICE);

  /** Elementwise ops of two inputs. */
  private static final Set<String> PAIRWISE = Set.of("add", "subtract", "multiply", "divide");

  /** Ops that read only the shapes of their inputs. */
  private static final Set<String> OF_SHAPES =
      Set.of("shape_of", "size_at", "size", "rank", "zeros_as");

  private static final Map<String, String> RESULT_NAMES =
      Map.of(MATMUL, "matrix products", "gather", "rows of tables", "add", "sums");

  private OpTraits() {}

  /** How the op's results may share memory with its inputs. */
  public static Aliasing aliasing(DifferentialFunction op) {
    if (op instanceof OwnOp own) {
      return own.aliasing();
    }
    if (op instanceof Concat concat) {
      return concat.iArgs()[0] == 0 ? Aliasing.CONCATENATE_ROWS : Aliasing.NONE;
    }
    return ALIASING.getOrDefault(op.opName(), Aliasing.NONE);
  }

  /**
   * The inputs whose memory an output may reuse if nothing reads them afterwards, in order of
   * preference.
   */
  public static List<Integer> inPlaceInputs(DifferentialFunction op, int output) {
    if (op instanceof FusedOp fused) {
      int input = fused.inPlaceOf(output);
      return input < 0 ? List.of() : List.of(input);
    }
    if (op instanceof TransformOp || op instanceof ScalarOp) {
      return List.of(0);
    }
    return PAIRWISE.contains(op.opName()) ? List.of(0, 1) : List.of();
  }

  /** What may be recomputed instead of being stored. */
  public static Recomputation recomputation(DifferentialFunction op) {
    return op instanceof FusedOp fused ? fused.recomputation() : Recomputation.NONE;
  }

  /** Whether the op reads the shapes of its inputs, not their values. */
  public static boolean readsShapesOnly(DifferentialFunction op) {
    return OF_SHAPES.contains(op.opName());
  }

  /** What the op's result is called in a report; the op's name if there is nothing better. */
  public static String resultName(DifferentialFunction op) {
    return op instanceof OwnOp own
        ? own.resultName()
        : RESULT_NAMES.getOrDefault(op.opName(), op.opName());
  }

  /** Whether the op is a matmul of two inputs, as {@link #matmul} creates it. */
  public static boolean isMatmul(DifferentialFunction op) {
    return op.opName().equals(MATMUL);
  }

  /** Whether the op computes both gradients of a matmul. */
  public static boolean isMatmulGradients(DifferentialFunction op) {
    return op.opName().equals(MATMUL_GRADIENTS);
  }

  /** A matmul of two inputs, each of them transposed first if so wanted. */
  public static DynamicCustomOp matmul(boolean transposeX, boolean transposeY) {
    return DynamicCustomOp.builder(MATMUL)
        .addIntegerArguments(transposeX ? 1 : 0, transposeY ? 1 : 0, 0)
        .build();
  }

  /** A copy. */
  public static DynamicCustomOp copy() {
    return DynamicCustomOp.builder(IDENTITY).build();
  }

  /** A part of the first input, from the second input on and of the third input's size. */
  public static DynamicCustomOp slice() {
    return DynamicCustomOp.builder(SLICE).build();
  }

  /** A conversion to FLOAT, FLOAT16 or BFLOAT16. */
  public static DynamicCustomOp cast(DataType type) {
    int number =
        switch (type) {
          case BFLOAT16 -> DType.BFLOAT16;
          case HALF -> DType.HALF;
          default -> DType.FLOAT;
        };
    return DynamicCustomOp.builder("cast").addIntegerArguments(number).build();
  }
}
