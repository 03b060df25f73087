package org.tokentune.spark;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.spark.network.util.JavaUtils;

/**
 * A message between the tasks of a stretch of steps, or from one of them to the driver. It is read
 * field by field, because anyone who reaches the port may send something.
 *
 * @param version of the sender's jar
 * @param rank number of the sending task
 * @param step number of a step in the stretch, from 0; 0 where none is meant
 * @param number what is meant beside it: a piece of a slice, or how many numbers are exchanged
 * @param text an address, or what has happened
 */
record ExchangeMessage(
    Kind kind,
    String version,
    Share.Attempt attempt,
    int rank,
    int step,
    long number,
    String text) {

  /** "TTEX", so that what is not meant for this port is recognised. */
  private static final int MAGIC = 0x54544558;

  /** Most characters of a text. */
  private static final int LONGEST = 2000;

  /** What is said or asked. */
  enum Kind {
    /** To the driver: the task is there; the answer has all addresses, when all tasks are. */
    BEGIN,
    /** To the driver: the task has run its batches of a step. */
    STEP,
    /** To the driver: the task needs nothing any more; answered when none does. */
    END,
    /** To the driver: the task has failed. */
    FAILED,
    /** To a task: which parameters have gradients in a step. */
    REPORT,
    /** To a task: a piece of its gradients in the asking task's slice. */
    GRADIENTS,
    /** To a task: a piece of the sums of its own slice. */
    SUMS
  }

  ByteBuffer bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    try {
      out.writeInt(MAGIC);
      out.writeUTF(kind.name());
      out.writeUTF(version);
      out.writeUTF(attempt.run());
      out.writeInt(attempt.step());
      out.writeInt(attempt.number());
      out.writeInt(rank);
      out.writeInt(step);
      out.writeLong(number);
      out.writeUTF(text.length() > LONGEST ? text.substring(0, LONGEST) : text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }

  /**
   * Reads a message.
   *
   * @throws ExchangeException if it is not one
   */
  static ExchangeMessage of(ByteBuffer bytes) throws ExchangeException {
    if (bytes.remaining() > 2 * LONGEST * Character.BYTES) {
      throw new ExchangeException("a message that is too long for this exchange");
    }
    try (DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(JavaUtils.bufferToArray(bytes)))) {
      if (in.readInt() == MAGIC) {
        return new ExchangeMessage(
            Kind.valueOf(in.readUTF()),
            in.readUTF(),
            new Share.Attempt(in.readUTF(), in.readInt(), in.readInt()),
            in.readInt(),
            in.readInt(),
            in.readLong(),
            in.readUTF());
      }
    } catch (IOException | IllegalArgumentException e) { // a kind that is none
      throw new ExchangeException(e, "a message that ends too early, or is none");
    }
    throw new ExchangeException("a message of something else than this exchange");
  }

  /**
   * Checks that the message belongs to an attempt.
   *
   * @param tasks in it
   * @throws ExchangeException if it does not, which says nothing of the attempt
   */
  void check(Share.Attempt expected, int tasks) throws ExchangeException {
    if (!attempt.run().equals(expected.run())) {
      throw new ExchangeException("a message of another training");
    }
    if (!version.equals(JarVersion.own())) {
      throw new ExchangeException(
          "a message of version " + version + " of tokentune-spark, not " + JarVersion.own());
    }
    if (!attempt.equals(expected)) {
      throw new ExchangeException("a message of another attempt");
    }
    if (rank < 0 || rank >= tasks || step < 0 || number < 0) {
      throw new ExchangeException("a message of no task of this training");
    }
  }
}
