# A server that ends utterances by its own ear although it was told not to, and understands the second before the first.
< {"type":"session.created","event_id":"event_1","session":{"type":"transcription"}}
> {"type":"session.update"}
> {"type":"input_audio_buffer.append"}
< {"type":"input_audio_buffer.speech_started","event_id":"event_2","audio_start_ms":0,"item_id":"item_1"}
< {"type":"input_audio_buffer.speech_stopped","event_id":"event_3","audio_end_ms":500,"item_id":"item_1"}
< {"type":"input_audio_buffer.committed","event_id":"event_4","previous_item_id":null,"item_id":"item_1"}
< {"type":"input_audio_buffer.speech_stopped","event_id":"event_9","audio_end_ms":900,"item_id":"item_2"}
< {"type":"input_audio_buffer.committed","event_id":"event_5","previous_item_id":"item_1","item_id":"item_2"}
< {"type":"conversation.item.input_audio_transcription.completed","event_id":"event_6","item_id":"item_2","content_index":0,"transcript":"Ten meters.","usage":{"type":"duration","seconds":0.5}}
< {"type":"conversation.item.input_audio_transcription.completed","event_id":"event_7","item_id":"item_1","content_index":0,"transcript":"Go forward.","usage":{"type":"duration","seconds":0.5}}
* {"type":"input_audio_buffer.append"}
> {"type":"input_audio_buffer.commit"}
< {"type":"error","event_id":"event_8","error":{"type":"invalid_request_error","code":"input_audio_buffer_commit_empty","message":"Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 0.00ms of audio.","param":null,"event_id":null}}
> close
