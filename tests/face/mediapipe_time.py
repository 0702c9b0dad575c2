"""Times MediaPipe's pipeline for detection, landmarks and blendshapes, for comparison with `benches/face.rs`.

    pip install mediapipe==0.10.21
    python mediapipe_time.py face_landmarker_v2.task ../../resources/samples/grace_hopper.jpg
"""

import sys
import time

import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

task, picture = sys.argv[1:]
options = vision.FaceLandmarkerOptions(BaseOptions(task), output_face_blendshapes=True)
pipeline = vision.FaceLandmarker.create_from_options(options)
image = mp.Image.create_from_file(picture)
times = []
for _ in range(220):
    start = time.perf_counter()
    pipeline.detect(image)
    times.append(1000 * (time.perf_counter() - start))
times = sorted(times[20:])
print(f"median {times[100]:.1f} ms, fastest {times[0]:.1f} ms, of 200 pictures")
