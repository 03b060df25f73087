package org.tokentune.testing;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Short digests of the contents of arrays. */
public final class Digests {

  private Digests() {}

  /** Returns type, shape and a checksum of the bits. */
  public static String of(INDArray array) {
    CRC32C crc = new CRC32C();
    double[] values = array.dup('c').data().asDouble();
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Double.BYTES);
    bytes.asDoubleBuffer().put(values);
    crc.update(bytes);
    return array.dataType() + Arrays.toString(array.shape()) + Long.toHexString(crc.getValue());
  }
}
