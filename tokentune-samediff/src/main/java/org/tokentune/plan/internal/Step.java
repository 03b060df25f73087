package org.tokentune.plan.internal;

import java.util.List;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.ops.internal.FusedOp;

/** A node bound to arrays, which can run repeatedly without allocating. */
interface Step extends AutoCloseable {

  void run();

  @Override
  default void close() {}

  static Step of(Node node, INDArray[] inputs, INDArray[] outputs) {
    if (node.op() instanceof FusedOp fused) {
      List<INDArray> in = List.of(inputs);
      List<INDArray> out = List.of(outputs);
      return () -> fused.run(in, out);
    }
    if (RowWrites.are(node, inputs)) {
      return new RowWrites(inputs[1], inputs[2], outputs[0]);
    }
    if (FewRowsMatmul.is(node, inputs, outputs[0])) {
      return FewRowsMatmul.of(node, inputs[0], inputs[1], outputs[0]);
    }
    if (ParallelMatmul.canSplit(node, outputs[0])) {
      return ParallelMatmul.of(node, inputs[0], inputs[1], outputs[0]);
    }
    return ofNative(node, inputs, outputs);
  }

  /** Runs one of ND4J's own ops. */
  static Step ofNative(Node node, INDArray[] inputs, INDArray[] outputs) {
    return OpenMp.ifLarge(node, inputs, outputs, bound(node, inputs, outputs));
  }

  /** The same, without changing OpenMP's threads. */
  static Step bound(Node node, INDArray[] inputs, INDArray[] outputs) {
    OpExecutioner executioner = Nd4j.getExecutioner();
    OpContext context = executioner.buildContext();
    // The second input of a reduction is its axes, which the op already holds.
    boolean axes = node.op() instanceof org.nd4j.linalg.api.ops.ReduceOp;
    context.setInputArrays(axes ? new INDArray[] {inputs[0]} : inputs);
    context.setOutputArrays(outputs);
    Runnable body;
    if (node.op() instanceof CustomOp custom) {
      Shapes.setArguments(context, custom);
      body = () -> executioner.exec(custom, context);
    } else {
      Op op = (Op) node.op();
      body = axes ? () -> reduce(op, context) : () -> executioner.exec(op, context);
    }
    return new Step() {
      @Override
      public void run() {
        body.run();
      }

      @Override
      public void close() {
        Step.close(context);
      }
    };
  }

  /** Frees immediately the copy of the axes that ND4J makes for every run. */
  @SuppressWarnings("unchecked") // the scope's constructor takes an array of a generic type
  private static void reduce(Op op, OpContext context) {
    PointerScope scope = new PointerScope(IntPointer.class);
    try {
      Nd4j.getExecutioner().exec(op, context);
    } finally {
      scope.close();
    }
  }

  /**
   * Frees a context's off-heap memory. Its own {@code close} does nothing; the remaining few
   * hundred bytes are freed with the Java object.
   */
  static void close(OpContext context) {
    context.purge();
  }
}
