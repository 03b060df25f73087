package org.tokentune.spark;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tokentune.nn.Parameters;
import org.tokentune.train.ArrayBytes;

/**
 * The numbers of all trained parameters, one after the other, divided among tasks: each adds up
 * those of its slice. A slice travels in pieces, so that no message is too large for memory.
 *
 * @param names of the parameters
 * @param ends the number at which each parameter ends
 * @param piece most numbers in a piece
 */
record Slices(List<String> names, long[] ends, int tasks, int piece) {

  /** 16 MB of floats. */
  private static final int PIECE = 1 << 22;

  /**
   * Some of the numbers.
   *
   * @param from the first
   * @param to the one after the last
   */
  record Piece(long from, long to) {

    int length() {
      return (int) (to - from);
    }
  }

  /** The part of a parameter in a piece, in numbers from the parameter's first. */
  private interface Part {
    void at(String name, long first, int length);
  }

  static Slices of(Parameters parameters, List<String> names, int tasks) {
    long[] ends = new long[names.size()];
    long end = 0;
    for (int i = 0; i < ends.length; i++) {
      end += parameters.get(names.get(i)).length();
      ends[i] = end;
    }
    return new Slices(names, ends, tasks, PIECE);
  }

  /** The numbers of all parameters. */
  long length() {
    return ends.length == 0 ? 0 : ends[ends.length - 1];
  }

  /** The pieces of a task's slice. */
  List<Piece> pieces(int task) {
    long end = length() * (task + 1) / tasks;
    List<Piece> pieces = new ArrayList<>();
    for (long from = length() * task / tasks; from < end; from += piece) {
      pieces.add(new Piece(from, Math.min(from + piece, end)));
    }
    return pieces;
  }

  /**
   * The gradients in a piece as bytes.
   *
   * @param gradients FLOAT, dense; those that are missing are 0
   */
  byte[] read(Piece piece, Map<String, INDArray> gradients) {
    byte[] bytes = new byte[piece.length() * Float.BYTES];
    ByteBuffer into = ByteBuffer.wrap(bytes);
    parts(
        piece,
        (name, first, length) -> {
          INDArray gradient = gradients.get(name);
          if (gradient == null) {
            into.position(into.position() + length * Float.BYTES);
          } else {
            into.limit(into.position() + length * Float.BYTES);
            ArrayBytes.read(gradient, first * Float.BYTES, into);
            into.limit(bytes.length);
          }
        });
    return bytes;
  }

  /**
   * Sets the gradients in a piece.
   *
   * @param gradients FLOAT, dense; numbers of those that are missing are passed over
   */
  void write(ByteBuffer bytes, Piece piece, Map<String, INDArray> gradients) {
    ByteBuffer from = bytes.duplicate();
    int end = from.limit();
    parts(
        piece,
        (name, first, length) -> {
          INDArray gradient = gradients.get(name);
          from.limit(from.position() + length * Float.BYTES);
          if (gradient == null) {
            from.position(from.limit());
          } else {
            ArrayBytes.write(from, gradient, first * Float.BYTES);
          }
          from.limit(end);
        });
  }

  private void parts(Piece piece, Part part) {
    int found = Arrays.binarySearch(ends, piece.from());
    int parameter = found < 0 ? -found - 1 : found + 1; // whose end is after the first number
    for (long from = piece.from(); from < piece.to(); parameter++) {
      long begin = parameter == 0 ? 0 : ends[parameter - 1];
      long to = Math.min(ends[parameter], piece.to());
      if (to > from) { // not empty
        part.at(names.get(parameter), from - begin, (int) (to - from));
      }
      from = to;
    }
  }
}
