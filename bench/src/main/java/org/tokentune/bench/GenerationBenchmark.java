package org.tokentune.bench;

import java.util.SplittableRandom;
import org.nd4j.linalg.api.blas.params.MMulTranspose;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;
import org.nd4j.linalg.factory.Nd4j;
import org.tokentune.generate.CachedDecoder;
import org.tokentune.models.TransformerModel;
import org.tokentune.nn.Parameters;
import org.tokentune.ops.KernelMode;

/** Compares generating random tokens one at a time with summing as many bytes as a token reads. */
public final class GenerationBenchmark implements AutoCloseable {

  private static final int WIDTH = 4096;

  private final TransformerModel model;
  private final int length;
  private final long bytes;
  private final CachedDecoder decoder;
  private final SplittableRandom random = new SplittableRandom(1);
  private final INDArray array;
  private final INDArray ones = Nd4j.ones(DataType.FLOAT, 1, WIDTH);
  private final INDArray sums;
  private final CustomOp matmul;
  private int position;

  /**
   * Allocates the decoder and the array to sum.
   *
   * @param length length of the text, which restarts after this many tokens
   */
  public GenerationBenchmark(TransformerModel model, Parameters weights, int length) {
    this.model = model;
    this.length = length;
    bytes = bytes(model);
    decoder = new CachedDecoder(model, weights, KernelMode.preferred());
    decoder.begin(length);
    array = Nd4j.ones(DataType.FLOAT, bytes / Float.BYTES / WIDTH, WIDTH);
    sums = Nd4j.create(DataType.FLOAT, 1, array.size(0));
    matmul = new Mmul(ones, array, sums, MMulTranspose.builder().transposeB(true).build());
  }

  /**
   * Bytes of all parameters except embeddings, of which only rows are read; a tied table counts as
   * the head.
   */
  private static long bytes(TransformerModel model) {
    boolean tied = model.parameters().keySet().stream().noneMatch(model::isHead);
    long table = (long) model.config().vocabulary() * model.config().hidden();
    long elements = tied ? table : 0;
    for (var parameter : model.parameters().entrySet()) {
      if (!model.isEmbedding(parameter.getKey())) {
        long count = 1;
        for (long size : parameter.getValue()) {
          count *= size;
        }
        elements += count;
      }
    }
    return elements * Float.BYTES;
  }

  /** Bytes of weights read per token. */
  public long bytes() {
    return bytes;
  }

  /** Generates the next token; returns nanoseconds. */
  public long token() {
    int[] token = {random.nextInt(model.config().vocabulary())};
    long start = System.nanoTime();
    decoder.next(token, position);
    long time = System.nanoTime() - start;
    position = (position + 1) % length;
    return time;
  }

  /**
   * Sums the rows of an array of as many bytes by a matmul with ones, the fastest way available
   * (ND4J's own sum runs on one thread). Returns nanoseconds.
   */
  public long sum() {
    long start = System.nanoTime();
    Nd4j.exec(matmul);
    return System.nanoTime() - start;
  }

  @Override
  public void close() {
    decoder.close();
    array.close();
    ones.close();
    sums.close();
  }
}
