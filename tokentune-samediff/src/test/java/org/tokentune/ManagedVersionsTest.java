package org.tokentune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.serde.base64.Nd4jBase64;

/** ND4J works with the newer libraries that the parent POM gives it. */
class ManagedVersionsTest {

  /** Its only use of commons-net, which breaks with 3.11. */
  @Test
  void arraysSurviveBase64() throws IOException {
    INDArray array = Nd4j.createFromArray(1.5f, -2, 3);
    INDArray read = Nd4jBase64.fromBase64(Nd4jBase64.base64String(array));
    assertEquals(array.toStringFull(), read.toStringFull());
  }
}
