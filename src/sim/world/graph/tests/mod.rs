//! Tests of the Cloud API through the public interface of the world.
